"""What the API takes and gives, as Pydantic models. Nothing beyond the API knows them."""
