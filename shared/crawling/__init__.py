"""Crawling: recipes, jobs and what a crawl hands over."""
