"""One folder per target; ``registry`` lists them, ``contract`` says what each must give, ``http`` is the one door out."""
