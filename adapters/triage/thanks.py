"""A message that is nothing but thanks. Any doubt is a no: then it is answered like every other message."""

import re

from domain.placeholder import in_words

LONGEST = 240
THANKS = re.compile(
    r"\b(?:thanks|thank you|thx|cheers|much appreciated|merci|danke|gracias|all good now|problem solved"
    r"|that (?:solved|worked|helped|did) (?:it|me)?"
    r"|(?:it|that|everything) (?:works|worked|is fine|is solved|is resolved) now)\b",
    re.IGNORECASE,
)
# What makes a message ask, object or go on. A question mark, a number and a link do as well.
MORE = re.compile(
    r"\?|[0-9]{3,}|https?:|\b(?:but|not|no|never|however|although|still|again|yet|unless|except|until|if|when|why|"
    r"how|where|who|which|what|could|can|would|will|should|please|need|want|refund|money|order|broken|damaged|missing|"
    r"wrong|late|problem remains|advance|waiting|unfortunately|instead|also|one more|another)\b|n['’]t\b",
    re.IGNORECASE,
)


def is_thanks(text: str) -> bool:
    """Whether the customer only says that they are content."""
    said = in_words(text).strip()
    return len(said) <= LONGEST and bool(THANKS.search(said)) and not MORE.search(said)
