"""How dates are written, by language; Django reads these before its own, which are American in English."""
