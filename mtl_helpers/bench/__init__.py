"""What the course measures about itself: ``make bench``."""
