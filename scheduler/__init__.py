"""What Cloud Tasks and Cloud Scheduler run for this product, declared once and synced from here."""
