"""Patrols (巡检打卡): who walks which points when, proven by place and code, told of in a report."""
