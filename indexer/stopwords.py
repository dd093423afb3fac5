"""Words too common to search for: dropped from queries, kept in the index so that phrases can be found."""

from __future__ import annotations

# Short on purpose: function words only, by the Snowball name of their language.
STOPWORDS: dict[str, str] = {
    "english": (
        "a an the and or but nor if of at by for with about into to from in on as than then so such "
        "is am are was were be been being do does did have has had having "
        "i me my we our you your he him his she her it its they them their this that these those there "
        "what which who whom whose when where why how can could will would shall should may might must "
        "not no e.g i.e etc i'm i've i'd i'll you're you've you'd you'll he'd he'll she'd she'll "
        "we're we've we'd we'll they're they've they'd they'll it'll it's that's there's what's who's where's how's "
        "isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't couldn't won't wouldn't "
        "shan't shouldn't mustn't cannot"
    ),
    "french": (
        "le la les l un une des de du d et ou mais ni que qu qui quoi dont où ce c cet cette ces se s sa son ses "
        "je j tu il elle on nous vous ils elles me m te t lui leur leurs mon ma mes ton ta tes notre nos votre "
        "vos y en à au aux dans par pour sur avec sans sous ne n pas est sont était être a ont avoir comme si "
        "quel quelle quels quelles comment quand pourquoi"
    ),
    "german": (
        "der die das den dem des ein eine einen einem einer eines und oder aber wenn als wie dass daß zu zum zur "
        "in im an am auf aus bei mit von vom nach für über um durch ist sind war waren sein wird werden wurde hat "
        "haben hatte ich du er sie es wir ihr mich mir dich dir ihn ihm uns euch sich mein dein sein unser nicht "
        "auch nur so was wer wo wann warum welche welcher welches"
    ),
    "spanish": (
        "el la los las lo un una unos unas de del y e o u pero que quien cual como cuando donde por para con sin "
        "sobre en a al se su sus le les me te nos mi tu es son era fue ser ha han haber no si este esta estos "
        "estas ese esa qué quién cuál cómo cuándo dónde"
    ),
    "italian": (
        "il lo la i gli le l un uno una di del dello della dei degli delle d e ed o ma che chi cui come quando "
        "dove perché a al allo alla ai agli alle da dal dalla in nel nella con su sul sulla per tra fra non si ci "
        "è sono era essere ha hanno avere questo questa quello quella io tu lui lei noi voi loro quale quali"
    ),
    "portuguese": (
        "o a os as um uma uns umas de do da dos das e ou mas que quem qual como quando onde por para com sem sobre "
        "em no na nos nas ao à se seu sua seus suas eu tu ele ela nós eles elas é são era foi ser há não este esta "
        "esse essa isto isso"
    ),
    "dutch": (
        "de het een en of maar als dat die dit deze te van in op aan met voor door bij naar uit over om is zijn was "
        "waren wordt worden heeft hebben ik je jij hij zij ze we wij u hun hem haar mijn niet er wat wie waar wanneer "
        "hoe waarom welke"
    ),
    "swedish": (
        "en ett den det de och eller men att som i på av för med till från om är var vara har hade jag du han hon vi "
        "ni sig sin sitt sina inte vad vem var när hur varför vilken vilket"
    ),
    "russian": (
        "и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по ее мне было вот от меня еще "
        "о из ему для при мы их они это этот эта эти или быть был была были чем кто где когда почему какой какая какие"
    ),
}
# One-character words of Chinese, and Korean particles.
UNSPACED_STOPWORDS = frozenset(
    "的了是在和与與及之其为為以于於就都而也有我你他她它们們这這那个個吗嗎呢吧啊哪什么麼几幾은는이가을를의에와과도로"
)
