"""What the demo firm's data is made of: names, goods, sentences; all invented, domains end in `.example`."""

from __future__ import annotations

PEOPLE = (
    ("Mira Sol", "owner", "Management", "Owner"),
    ("Lena Fox", "member", "Sales", "Sales"),
    ("Kai Jensen", "member", "Sales", "Sales"),
    ("Dev Patel", "manager", "Sales", "Head of sales"),
    ("Anouk Bell", "member", "Sales", "Sales"),
    ("Tomás Reyes", "member", "Workshop", "Workshop lead"),
    ("Ines Okafor", "member", "Workshop", "Fitter"),
    ("王芳", "member", "Sales", "Sales, Asia"),
    ("Олег Смирнов", "member", "Sales", "Sales, East"),
    ("Ruth Adler", "admin", "Office", "Office"),
    ("Sam Novak", "member", "Office", "Customer service"),
    ("Grace Lin", "viewer", "Office", "Bookkeeping"),
)
"""Name, role, team, title. The first is the owner, the second the salesperson of the printed logins."""

FIRSTS = (
    "Alder", "Ashdown", "Beacon", "Birch & Vale", "Brightline", "Calder", "Cedar", "Copperfield", "Crane",
    "Dunmore", "Eastgate",
    "Elmfield", "Fairway", "Fern", "Ferry Lane", "Foxglove", "Granary", "Greystone", "Harrow", "Hazel",
    "Heron", "Juniper",
    "Kestrel", "Kingsway", "Lantern", "Larkfield", "Linden", "Lumen", "Maple", "Marlow", "Meridian",
    "Millbrook", "Northwind",
    "Oakridge", "Orchard", "Paper Crane", "Pinnacle", "Quayside", "Redwood", "Rowan", "Saltmarsh", "Summit",
    "Tidewater",
    "Thornbury", "Wharf", "Whitestone", "Willow", "Yarrow",
)  # fmt: skip
TRADES = (
    ("Joinery", "Construction"), ("Kitchens", "Retail"), ("Hotels", "Hospitality"), ("Bakery", "Hospitality"),
    ("Dental", "Health"), ("Physio", "Health"), ("Optics", "Health"), ("Cycles", "Retail"), ("Books", "Retail"),
    ("Tutors", "Education"), ("Landscaping", "Construction"), ("Electrical", "Construction"), ("Catering",
    "Hospitality"),
    ("Marine", "Manufacturing"), ("Studios", "Design"), ("Interiors", "Design"), ("Estates", "Property"),
    ("Offices", "Property"),
)  # fmt: skip
CHINESE = (
    "上海明德贸易有限公司", "杭州青竹家居有限公司", "苏州云锦设计工作室", "深圳远航电子有限公司",
    "广州木棉餐饮管理有限公司",
    "成都锦里文化有限公司", "南京梧桐酒店管理有限公司", "宁波海川物流有限公司",
    "青岛松石建筑设计有限公司", "武汉江城书店",
    "臺北光點設計", "高雄港灣家具行", "香港維港室內設計", "厦门鹭岛茶业有限公司",
    "西安长风教育咨询有限公司", "天津和平口腔诊所",
    "重庆山水装饰工程有限公司", "长沙麓山咖啡馆", "大连星海船舶服务有限公司", "昆明春城花卉有限公司",
)  # fmt: skip
RUSSIAN = (
    "ООО «Самара Логистик»", "ООО «Северный лес»", "ООО «Невский интерьер»", "АО «Волга Строй»",
    "ООО «Уральский дуб»",
    "ООО «Балтика Мебель»", "ИП Кузнецова", "ООО «Тихий Дон Отель»", "ООО «Сибирский кедр»",
    "ООО «Казань Дизайн»",
    "Стоматология «Жемчуг»", "ООО «Ладога Марин»", "Книжный дом «Лира»", "ООО «Подмосковные усадьбы»",
    "ООО «Кубань Агро»",
    "Кофейня «Зерно»",
)  # fmt: skip

GIVEN = (
    "Anna", "Hugo", "Priya", "Marcus", "Nadia", "Felix", "Amara", "Ibrahim", "Sofia", "Daniel", "Freya",
    "Omar", "Clara", "Jonas",
    "Maya", "Victor", "Elsie", "Rafael", "Greta", "Noor", "Edith", "Leon", "Zara", "Callum",
)  # fmt: skip
FAMILY = (
    "Lindqvist", "Moretti", "Adler", "Reid", "Osei", "Dahl", "Park", "Bauer", "Okonkwo", "Hughes", "Farrell",
    "Costa", "Weber",
    "Nakamura", "Haddad", "Byrne", "Keller", "Rossi", "Novak", "Shaw",
)  # fmt: skip
CHINESE_PEOPLE = (
    "张伟",
    "李娜",
    "王小明",
    "刘洋",
    "陈静",
    "杨帆",
    "赵敏",
    "黄磊",
    "周婷",
    "吴昊",
    "林佳怡",
    "許志明",
)
RUSSIAN_PEOPLE = (
    "Дмитрий Орлов",
    "Анна Соколова",
    "Игорь Лебедев",
    "Мария Зайцева",
    "Павел Новиков",
    "Ольга Белова",
)
JOBS = (
    "Managing director",
    "Buyer",
    "Office manager",
    "Head of operations",
    "Architect",
    "Site manager",
    "Owner",
    "Accounts",
)

TOWNS = (
    ("London", "SE1 4AB", "020 7946 0"), ("Leeds", "LS1 5AA", "0113 496 0"), ("Bristol", "BS1 6QA",
    "0117 496 0"),
    ("Manchester", "M1 3HU", "0161 496 0"), ("Sheffield", "S1 2GU", "0114 496 0"), ("Newcastle", "NE1 4ST",
    "0191 498 0"),
)  # fmt: skip
STREETS = (
    "Wharf Street",
    "Mill Lane",
    "Church Road",
    "Station Parade",
    "Quay Hill",
    "Foundry Row",
    "Market Place",
    "Bridge End",
)
TAGS = ("Wholesale", "Referral", "VIP", "Trade fair", "Architect", "Repeat", "Slow payer", "Export")
SOURCES = ("Website", "Referral", "Trade fair", "Phone", "Architect", "Repeat customer")

PRODUCTS = (
    ("Oak worktop, 40 mm", "OW-40", "Kitchen", 38500), ("Ash worktop, 30 mm", "AW-30", "Kitchen", 29500),
    ("Base unit, 600 mm", "BU-60", "Kitchen", 24500), ("Reception desk", "RD-1", "Shop fit-out", 485000),
    ("Display shelving, per metre", "DS-M", "Shop fit-out", 18900), ("Fitted wardrobe", "FW-2",
    "Interiors", 265000),
    ("Panelled door", "PD-8", "Doors", 42000), ("Fire door FD30", "FD-30", "Doors", 58500), ("Sash window",
    "SW-1", "Windows", 96500),
    ("Staircase, straight", "ST-1", "Stairs", 385000), ("Site survey", "SV-1", "Services", 12000),
    ("Fitting day, two people", "FT-2", "Services", 68000),
    ("Annual service plan", "SP-1", "Services", 145000), ("Delivery, zone 1", "DL-1", "Services", 6500),
)  # fmt: skip
DEALS = (
    ("Shop fit-out", 1240000), ("Reception desk", 560000), ("Annual service plan", 145000),
    ("Kitchen refit", 980000),
    ("Meeting room panels", 430000), ("Display shelving", 265000), ("Staircase", 720000),
    ("Fire doors, two floors", 640000),
    ("Sash windows", 880000), ("Bar counter", 510000), ("Library wall", 690000),
    ("Wardrobes, 12 rooms", 1850000),
    ("Bulk order of doors", 1420000), ("Repair of worktops", 95000), ("Showroom prototype", 340000),
    ("Maintenance contract", 225000),
)  # fmt: skip
CHINESE_DEALS = (
    ("办公室家具定制", 760000),
    ("酒店客房衣柜", 1680000),
    ("书店书架", 420000),
    ("展厅木饰面", 930000),
)
RUSSIAN_DEALS = (("Мебель для офиса", 540000), ("Лестница из дуба", 690000), ("Двери для гостиницы", 1310000))
LOST = ("Price too high", "Chose a competitor", "Need is gone", "Too late for them", "No answer any more")

STEPS = {
    "call": (
        "Call back about the quote",
        "Ask for the floor plan",
        "Talk through delivery dates",
        "Chase the decision",
    ),
    "mail": ("Send revised quote", "Send sample photos", "Send the contract"),
    "meeting": ("Demo in the showroom", "Meet the architect", "Go through the drawings"),
    "visit": ("Measure on site", "Final check on site"),
    "task": ("Prepare the quote", "Order sample boards", "Book the fitters", "Check the credit limit"),
}
OUTCOMES = (
    "Reached, call back next week",
    "No answer",
    "Wants a second quote",
    "Agreed to the dates",
    "Will decide this month",
)
NOTES = (
    "Decision is made by the partners together; the office manager prepares it.",
    "Prefers deliveries before eight, the yard is full later.",
    "Landlord must agree to weekend work. Ask before booking fitters.",
    "Wants oak, but the budget says ash. Show both.",
    "Pays within a week and likes to be called, not written to.",
)
TICKETS = (
    ("Scratch on a panel",
    "Hello, one of the panels you delivered on Friday has a scratch of about 10 cm near the lower edge.",
    "Sorry about that. We have a spare panel and can swap it on Thursday at 9:30, about 20 minutes.",
    "Complaints"),
    ("Invoice to the wrong address", "The last invoice went to our old address. Can you send it again?",
     "The address is corrected and the invoice is on its way again.", "Billing"),
    ("When will the fitters come?", "We were told this week. Which day is it?",
     "The fitters come on Wednesday between 8 and 10. They call half an hour before.", "Support"),
    ("Hinge is loose", "A hinge of the left cabinet has come loose after two weeks.",
     "We will tighten all hinges of this row. Does Monday morning suit you?", "Support"),
    ("Care of oiled oak", "What should we clean the new worktop with?",
    "Warm water and a little soap are enough. Oil it once a year; a bottle comes with the next delivery.",
    "Support"),
    ("Delivery note missing", "There was no delivery note with the doors. We need it for the site file.",
     "Here is the delivery note with the certificate of the fire doors.", "Billing"),
    ("Door does not close", "One of the fire doors does not close by itself any more.",
     "This comes first: a fitter is with you this afternoon.", "Support"),
    ("书架尺寸有误", "第三层书架比图纸短了五毫米，请确认。", "已经确认，我们会重做这一块，下周二送到。", "Complaints"),
    ("Когда придёт счёт?", "Мы ещё не получили счёт за лестницу.",
    "Счёт отправлен сегодня утром, копия приложена.", "Billing"),
)  # fmt: skip
TICKET_NOTE = "Workshop has one spare in oak. Can somebody take it along on Thursday?"
VIEWS = (
    ("customers", "Key customers", "value_class=A&type_class=existing"),
    ("deals", "Large open deals", "status=open&amount.gte=5000&sort=-amount"),
    ("tickets", "Urgent and high", "priority=urgent,high&sort=-updated_at"),
    ("contacts", "My people", "owner_id=me"),
)
