"""What papers sent to real devices, sent again to emulated ones."""
