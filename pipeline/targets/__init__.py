"""One folder per target. ``registry`` lists them, ``contract`` says what each gives, ``http`` is the one door out."""
