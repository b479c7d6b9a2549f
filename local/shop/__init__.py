"""A retailer's site of our own, to crawl: what it sells is known, and it has a site's faults."""
