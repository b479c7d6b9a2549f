"""The pod: one command that crawls one category of one retailer and hands over what it found."""
