"""Reading official OSCAL documents."""
