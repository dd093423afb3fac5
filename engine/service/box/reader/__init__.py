"""The pages about whoever reads: what is known of them, what they say of documents, how they come in and leave."""
