"""Plain patterns for what a person should know about, however sure the classifier is."""

# ruff: noqa: E501 - an expression that is cut into lines is harder to read than a long one

import regex

from domain.placeholder import in_words
from domain.triage import Signal

TIMEOUT_S = 0.25

_PEOPLE = (
    r"(?:human|(?:real |actual |live )?person|real human|someone|somebody|(?:human |live |real |support |service )?agent|"
    r"representative|rep|operator|manager|supervisor|advis[eo]r|staff(?: member)?|team member|live chat|colleague)"
)
_SOMEBODY_ELSE = (
    r"(?:my|a|the) (?:husband|wife|friend|mother|father|mum|mom|dad|brother|sister|neighbou?r|boss|colleague|"
    r"girlfriend|boyfriend|partner|ex|roommate|flatmate|son|daughter)(?:['’]?s)?"
)
PATTERNS: dict[Signal, tuple[str, ...]] = {
    Signal.ASKS_FOR_HUMAN: (
        rf"\b(?:speak|talk|chat|connect(?: me)?|transfer(?: me)?|put me through|escalate(?: this)?|hand (?:me|this) over|pass (?:me|this) on)\b[^.!?\n]{{0,25}}\b(?:to|with)\b[^.!?\n]{{0,15}}\b{_PEOPLE}\b",
        r"\b(?:want|need|prefer|get me|give me|like|have|is there|let me)\b[^.!?\n]{0,20}\b(?:an? |the )?(?:human|real (?:person|human)|actual (?:person|human)|(?:human|live|real) agent|customer service (?:agent|rep\w*)|representative|supervisor)\b",
        r"\b(?:no|not an?|stop (?:the|this)|sick of|enough of)\b[^.!?\n]{0,15}\b(?:bots?|robots?|chat ?bots?|machines?|automat\w+|ai)\b",
        r"\b(?:human|person) instead\b",
        r"\b(?:human|real person|agent|representative) please\b",
    ),
    Signal.LEGAL_THREAT: (
        r"\b(?:lawyers?|attorneys?|solicitors?|barristers?|law ?suits?|legal (?:action|steps|proceedings|advice|team|department)|small claims|ombudsman|trading standards|consumer (?:protection|rights|court)|better business bureau|class action)\b",
        r"\b(?:sue|suing) (?:you|your|the company|them|this)\b|\b(?:take|see|drag) (?:you|this|your company) (?:all )?(?:to|in) court\b|\bgoing to court\b|\bcourt (?:order|case|proceedings)\b",
        r"\breport(?:ing)? (?:you|this|your company) to (?:the )?(?:police|authorit\w+|regulator\w*|bank|press|media)\b|\b(?:data protection|privacy) authority\b",
    ),
    Signal.INJECTION: (
        r"\b(?:ignore|disregard|forget|override|bypass|skip|do not follow|don['’]t follow|drop)\b[^.!?\n]{0,40}\b(?:previous|prior|above|earlier|preceding|all|any|your|these|the|every|system|existing)\b[^.!?\n]{0,30}\b(?:instructions?|rules?|prompts?|guidelines?|directions?|polic(?:y|ies)|constraints?|commands?|restrictions?|safety)\b",
        r"\b(?:system|developer|hidden|initial|original) (?:prompts?|instructions?|message)\b|\bprompt injection\b|\bjail ?break\b|\bdeveloper mode\b|\bdebug mode\b|\badmin(?:istrator)? (?:mode|override)\b|\bmaintenance mode\b",
        r"\b(?:you are (?:now|no longer)|from now on,? you|act as (?:an?|the|if)|pretend (?:to be|you)|roleplay as|you must now|your new (?:role|task|instructions?|goal))\b",
        r"(?m)^[\s>#*]{0,8}(?:system|assistant|developer|tool[_ ]?call|system (?:message|notice|note|override)|admin(?:istrator)?(?: note| override)?) ?:",
        r"(?m)^[\s>]{0,8}[#*<\[({]{1,4} ?/?(?:system|assistant|instructions?|important|admin|tool[_ ]?call|information)\b[^\n]{0,60}?[>\])}:]",
        r"<\|?/?(?:system|im_start|im_end|assistant|user|instructions?|information|tool\w{0,12}|endoftext)\|?>|\[/?(?:INST|SYSTEM|SYS)\]|<<SYS>>",
        r"\b(?:important|urgent|new) (?:message|instructions?|notice|task)s? (?:from|for|to) (?:me|the (?:user|model|assistant|ai|agent|system|admin\w*|developer)|you|all)\b|\bnew instructions?\b ?:",
        r"\b(?:as an? (?:ai|language model|assistant)|dear (?:ai|assistant|model|bot)|(?:ai|language|llm) (?:model|assistant|agent)s?[,:]|attention,? (?:ai|assistant|model|bot|agent))\b",
        r"\b(?:before (?:you (?:can )?)?(?:solve|answer|do|help|repl)\w*|instead of (?:answering|replying|helping))\b[^.!?\n]{0,60}\b(?:first|please|do the following|must|need to)\b",
        r"\b(?:reveal|print|show|repeat|output|send|leak|disclose|give me)\b[^.!?\n]{0,30}\b(?:your (?:prompt|instructions|rules|configuration|secrets?|credentials)|api keys?|environment variables|other customers?['’]?s? (?:data|details|orders?|names?))\b",
        r"\b(?:call|invoke|execute|run|use|trigger)\b[^.!?\n]{0,20}\b(?:the )?(?:tool|function|refund tool|api|command|\w{2,30}_\w{2,30})\b[^.!?\n]{0,40}",
        r"\b(?:without|do not|don['’]t|never)\b[^.!?\n]{0,12}\b(?:ask(?:ing)?|tell(?:ing)?|inform(?:ing)?|alert(?:ing)?|notify(?:ing)?|confirm(?:ing|ation)?)\b[^.!?\n]{0,25}\b(?:human|user|customer|anyone|anybody|manager|approval|teammate|permission|me)\b",
        r"\b(?:pre-?approved|already approved|authori[sz]ed) (?:by|this)\b[^.!?\n]{0,40}\b(?:policy|admin\w*|system|management|ceo|supervisor|manager|security)\b",
    ),
    Signal.IDENTITY_IN_DOUBT: (
        r"\b(?:hacked|hijacked|taken over|account takeover|broke into|broken into|phish\w*|identity theft|impersonat\w+|compromised)\b",
        r"\b(?:someone|somebody|a stranger|person unknown)(?: else)? (?:has |is |was |else )*(?:accessed|logged|logging|used|using|changed|ordered|got into|has access|signed|took|stole)\b[^.!?\n]{0,30}\b(?:account|login|password|name|details|profile|identity|e-?mail)\b",
        rf"\b{_SOMEBODY_ELSE} (?:account|orders?|card|e-?mail|password|profile|login|parcel|refund)\b",
        r"\b(?:someone|somebody|another (?:customer|person|user))(?: else)?['’]s (?:account|orders?|card|parcel|package|refund|details)\b|\b(?:not|isn['’]t) my (?:account|order|name)\b",
        r"\b(?:on behalf of|in the name of)\b",
        r"\b(?:no longer have|lost|do not have|don['’]t have|without) access to (?:my|the|that|this) (?:old )?(?:e-?mail|mail(?:box)?|phone|number|inbox)\b",
        r"\b(?:i (?:did not|didn['’]t|never)) (?:placed?|ma[dk]e|order(?:ed)?|request(?:ed)?|authori[sz]ed?) (?:this|that|these|any|the)\b|\b(?:e-?mail|password|address|phone)\b[^.!?\n]{0,20}\b(?:was|were|has been|got) changed without\b",
    ),
}  # fmt: skip
_COMPILED = {
    signal: tuple(regex.compile(pattern, regex.IGNORECASE) for pattern in patterns)
    for signal, patterns in PATTERNS.items()
}


def signals_in(text: str) -> tuple[Signal, ...]:
    """In the order of the enum. A text that stalls a pattern counts as an injection, not as clean."""
    text = in_words(text)  # a placeholder such as [[PHONE_1_k7]] is no tool's name
    # An instruction may be broken over lines to be overlooked; elsewhere a line ends a thought.
    flat = " ".join(text.split())
    return tuple(s for s in PATTERNS if _found(s, text) or (s is Signal.INJECTION and _found(s, flat)))


def _found(signal: Signal, text: str) -> bool:
    try:
        return any(pattern.search(text, timeout=TIMEOUT_S) for pattern in _COMPILED[signal])
    except TimeoutError:
        return signal is Signal.INJECTION
