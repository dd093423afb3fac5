"""Strings in, scores out: re-orders the candidates that the two indexes propose.

Holds nothing yet but this purpose: cross-encoder inference, RankNet training and the mining of hard negatives
arrive with the reranker. It knows neither the index nor the query layer, so that it can be used without them.
"""
