"""English phrases by what an answer does. Coarse on purpose: shares over many answers, never a judgement of one."""

from typing import Final


def _any_of(*phrases: str) -> str:
    return rf"(?i)\b(?:{'|'.join(phrases)})"


REFUSAL: Final = _any_of(
    r"i(?: a|')?m sorry,? but i (?:can(?:no|')?t|am unable)",
    r"i(?: a|')?m (?:not (?:able|allowed|permitted|authori[sz]ed)|unable) to",
    r"(?:i|we) can(?:no|')?t (?:help|assist|do that|provide|share|discuss|answer|comply)",
    r"we (?:are unable|are not able) to",
    r"i (?:won't|will not) (?:be able to|help|share|provide)",
    r"not something (?:i|we) can",
    r"unfortunately,? (?:i|we) can(?:no|')?t",
)
"""Says no."""

SCOPE: Final = _any_of(
    r"i can only (?:help|assist|answer)",
    r"i(?: a|')?m only able to",
    r"(?:outside|beyond) (?:of )?(?:my|our|the) (?:scope|area|expertise|remit)",
    r"not (?:something|a topic) (?:i|we) (?:can )?(?:help|assist|deal|support)",
    r"i(?: a|')?m (?:just |only )?here to (?:help|assist) (?:you )?only with",
    r"(?:please )?contact (?:the|your) (?:police|doctor|lawyer|emergency)",
)
"""Says what it is for, and that this is not it."""

ESCALATION: Final = _any_of(
    r"transfer(?:ring)? you",
    r"(?:connect|put|pass) you (?:to|with|through)",
    r"escalat(?:e|ed|ing)",
    r"forward(?:ed|ing)? (?:this|your|you) ",
    r"(?:speak|talk) (?:to|with) (?:a|one of our|our) (?:human|agent|specialist|supervisor|manager|representative|colleague)",
    r"(?:a|our) (?:colleague|specialist|supervisor|manager) will",
)
"""Hands on."""

APOLOGY: Final = _any_of(r"sorry\b", r"apologi[sz]e\b", r"apologies\b", r"regret\b")

OUT_OF_BOUNDS: Final = _any_of(
    r"ignore (?:all |any |the |your )*(?:previous |prior |above )?(?:instructions|rules)",
    r"system prompt",
    r"you are now",
    r"jailbreak",
    r"pretend (?:to be|you are)",
    r"act as (?:a|an|my)\b",
    r"developer mode",
    r"reveal your (?:prompt|instructions)",
    r"another customer'?s?",
    r"someone else'?s (?:account|order|address|card)",
    r"write (?:me )?(?:a poem|an essay|my homework|code for)",
    r"tell me a joke",
    r"who should i vote",
    r"what do you think (?:of|about) (?:religion|politics|the president)",
    r"your competitor",
    r"(?:fuck|shit|idiot|moron|stupid bot|bastard)\w*",
    r"hack (?:in|my|the|an)",
    r"bypass (?:the|your)",
    r"how to (?:make|build) a (?:bomb|weapon)",
    r"(?:legal|medical) advice",
    r"diagnos",
)
"""What a customer asks that is injection, abuse, off-topic or somebody else's business."""
