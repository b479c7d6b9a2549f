"""What follows a crawl: its rows become prices and proposals, and people are told."""
