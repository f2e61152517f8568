"""The fixed vocabularies: types of people, kinds of organisations, levels of areas."""

from __future__ import annotations

#: The platform's own permissions; never switched off.
PLATFORM = "platform"

#: Each type of person, and what it is called on screen. The built-in role of a type has the same name and title.
USER_TYPES = {
    "district_staff": "区级管理员",
    "street_staff": "街道工作人员",
    "community_staff": "社区工作人员",
    "property_staff": "物业人员",
    "supervisor": "专管员",
    "collection_staff": "收运企业人员",
    "recycling_staff": "回收企业人员",
    "driver": "司机",
    "enforcement_officer": "执法人员",
    "resident": "居民",
    "volunteer": "志愿者",
    "vendor": "厂商",
    "administrator": "系统管理员",
}

#: Each kind of organisation, and what it is called on screen.
ORGANISATION_KINDS = {
    "district_office": "区级主管部门",
    "street_office": "街道办事处",
    "community": "社区居委会",
    "property_company": "物业企业",
    "collection_company": "收运企业",
    "recycling_company": "可回收企业",
    "hazardous_company": "有害垃圾回收企业",
    "enforcement": "执法部门",
    "vendor": "设备与软件厂商",
}

#: People of these types work for one company: their role counts for its records alone.
COMPANY_TYPES = frozenset({"property_staff", "collection_staff", "recycling_staff", "driver"})

#: The levels of the area tree from the top, and what they are called on screen.
AREA_LEVELS = {"district": "区县", "street": "街道", "community": "社区", "compound": "小区"}


def level_below(area: str) -> str:
    """Return the level of the areas right below a path; of a compound, and below it, there is only the compound."""
    levels = list(AREA_LEVELS)
    depth = len(area.split("/")) if area else 0
    return levels[min(depth, len(levels) - 1)]
