"""Cases: what belongs together of one violation, judged by people, and where the judgement goes."""
