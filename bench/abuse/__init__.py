"""scripts/abuse: what crowds of hostile clients cost the others."""
