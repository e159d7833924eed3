"""Networks in floats and in integers, number formats, and layouts of words."""
