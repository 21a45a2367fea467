"""The page that an operator leaves open: plain files for a browser, and what serves them."""
