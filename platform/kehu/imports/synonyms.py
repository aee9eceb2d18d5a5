"""How people and other programs call the fields, for the proposal of a mapping.

Field key -> names in English, Chinese (both scripts) and Russian, the commonest also in German, in the form of
`bare`. What stands under a record type's name counts for that type only and comes first.
"""

from __future__ import annotations

import re
from typing import Final

from kehu.core.text import fold

_PARTING: Final = re.compile(r"[\W_]+")
_HUMPS: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def bare(name: str) -> str:
    """Return a column's name without case, punctuation and joined words."""
    return _PARTING.sub(" ", fold(_HUMPS.sub(" ", name))).strip()


_PREFIXES: Final = ("property ", "hs ", "hubspot ")


def forms_of(name: str) -> list[str]:
    """Return a column's name in the form of `bare`, and then without what HubSpot puts before its names."""
    found = [bare(name)]
    for prefix in _PREFIXES:
        if found[-1].startswith(prefix):
            found.append(found[-1].removeprefix(prefix))
    return found


def _table(text: str) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    # A line that ends with a comma goes on in the next one.
    for line in re.sub(r",\n\s+", ", ", text.strip()).splitlines():
        key, _, names = line.strip().partition(": ")
        found[key] = tuple(bare(name) for name in names.split(", "))
    return found


COMMON: Final = _table("""
    name: name, title, full name, 名称, 姓名, 名稱, 标题, 標題, название, наименование, имя, фио
    name.given: first name, firstname, given name, given names, forename, vorname, имя, 名, 名字
    name.family: last name, lastname, surname, family name, nachname, familienname, фамилия, 姓, 姓氏
    subject: subject, title, topic, summary, 主题, 主題, 标题, 標題, тема, заголовок
    number: number, no, nr, 编号, 編號, номер
    emails: email, e mail, mail, email address, e mail address, work email, 邮箱, 電子郵件, 邮件, 電郵,
        电子邮箱, почта, эл почта, емейл, электронная почта
    phones: phone, phone number, telephone, tel, mobile, mobile phone, cell, work phone, 电话, 電話,
        telefon, telefonnummer, tel nr, handy, mobil, rufnummer,
        手机, 手機, 手机号, 联系电话, телефон, моб, мобильный, тел
    website: website, web, web site, url, homepage, site, domain, 网站, 網站, 网址, 網址, сайт, веб сайт
    industry: industry, sector, branch, trade, 行业, 行業, отрасль, сфера деятельности,
        branche
    region: region, state, province, territory, 地区, 地區, 省份, 省, регион, область
    country: country, nation, office location, location, 国家, 國家, страна,
        land
    employees: employees, number of employees, numberofemployees, staff, headcount, 员工数, 員工數, 人数, сотрудники,
        число сотрудников, количество сотрудников
    founded: founded, year established, year founded, established, founded in, 成立年份, 成立, год основания
    born_on: date of birth, birth date, birthday, dob, born, geburtsdatum, geburtstag, geboren am, 出生日期, 生日,
        дата рождения, день рождения
    revenue: revenue, annual revenue, annualrevenue, turnover, yearly turnover, 营业额, 營業額, 年收入, выручка, оборот,
        годовой оборот
    parent_id: parent, parent account, parent company, subsidiary of, belongs to, 母公司, 上级公司,
        головная компания, родительская компания
    tags: tags, labels, keywords, 标签, 標籤, метки, теги
    description: description, notes, note, comment, comments, remarks, details, 描述, 备注, 備註, 说明,
        bemerkung, bemerkungen, notiz, notizen, anmerkung,
        описание, примечание, комментарий
    owner_id: owner, sales agent, agent, sales rep, salesperson, account manager, account owner,
        deal owner, contact owner, assigned to, responsible, rep, 负责人, 負責人, 业务员, 業務員, 销售,
        ответственный, менеджер, владелец
    assignee_id: assignee, assigned to, agent, owner, responsible, assigned agent, 处理人, 負責人,
        负责人, исполнитель, ответственный
    customer_id: customer, account, account name, company, company name, client, organization,
        associated company, associated company ids, associatedcompanyid,
        kunde, firma, kundenname, firmenname, unternehmen,
        organisation, firm, 客户, 客戶, 客户名称, 公司, 公司名称, 公司名稱, клиент, компания, контрагент,
        организация
    contact_id: contact, contact name, contact person, requester, person, associated contact,
        associated contact ids, 联系人, 聯絡人, контакт,
        ansprechpartner, kontakt,
        контактное лицо
    deal_id: deal, opportunity, deal name, opportunity name, 商机, 商機, сделка
    ticket_id: ticket, case, ticket number, 工单, 工單, заявка
    product_id: product, product name, item, article, model, 产品, 產品, 产品名称, продукт, товар
    stage_id: stage, deal stage, status, phase, pipeline stage, 阶段, 階段, стадия, этап, статус
    queue_id: queue, group, department, team, 队列, 佇列, очередь, отдел
    amount: amount, value, close value, deal value, deal amount, price, total, sum, 金额, 金額, 价值,
        сумма, стоимость, бюджет
    currency: currency, currency code, 币种, 幣別, 货币, валюта
    expected_close: expected close, expected close date, forecast date, 预计成交日期, 預計成交日期,
        ожидаемая дата закрытия
    opened_on: opened on, engage date, open date, opened, start date, create date, createdate, created, 开始日期,
        開始日期, дата начала, дата создания
    closed_at: closed on, close date, closedate, closed, closed date, closed at, 成交日期, 关闭日期, 結束日期,
        дата закрытия
    lost_reason: lost reason, closed lost reason, reason lost, loss reason, lost because, 丢单原因,
        輸單原因, причина отказа, причина проигрыша
    source: source, lead source, origin, channel, 来源, 來源, источник
    external_id: external id, id, opportunity id, deal id, ticket id, record id, case number,
        number elsewhere, 外部编号, 外部編號, внешний номер, внешний код
    code: code, article number, sku, product code, item number, part number, 货号, 產品編號, 产品编号,
        артикул, код
    series: series, category, family, product line, group, 系列, 类别, 類別, серия, категория
    price: price, sales price, unit price, list price, cost, 价格, 價格, 单价, 單價, цена
    kind: kind, type, activity type, 类型, 類型, тип, вид
    type_class: type, customer type, lifecycle stage, lifecyclestage, relationship, 客户类型, 客戶類型, тип клиента
    value_class: class, rating, tier, grade, 等级, 等級, класс, категория
    status: status, state, ticket status, 状态, 狀態, статус, состояние
    priority: priority, urgency, 优先级, 優先級, приоритет
    requester_email: requester email, requester, email, from, 请求人邮箱, 請求者電郵, почта заявителя
    due_at: due, due date, deadline, date, activity date, 截止日期, 到期日, срок, дата
    done_at: done, done at, completed, completed at, completed date, 完成时间, 完成時間, выполнено
    mail_consent: mail consent, email consent, consent, newsletter, opt in, opted in, email opt in, marketing consent,
        email marketing consent, subscribed, 邮件同意, 郵件同意, 订阅, 訂閱, согласие, согласие на рассылку, рассылка,
        einwilligung
    do_not_contact: do not contact, do not email, no contact, 请勿联系, 請勿聯絡, не беспокоить
    language: language, locale, preferred language, 语言, 語言, язык, sprache
    outcome: outcome, result, call outcome, 结果, 結果, результат, итог
    minutes: minutes, duration, 时长, 時長, минуты, длительность
    body: body, text, notes, content, message, 内容, 內容, текст, содержание
    job_title: job title, jobtitle, title, position, role, function, 职位, 職位, 职务, должность
    department: department, division, 部门, 部門, отдел
    addresses.street: street, address, street address, address 1, address line 1, 地址, 街道, 详细地址,
        straße, strasse, adresse, anschrift,
        адрес, улица
    addresses.postcode: postcode, post code, zip, zip code, postal code, 邮编, 郵遞區號, 邮政编码,
        plz, postleitzahl,
        индекс, почтовый индекс
    addresses.city: city, town, 城市, 市, город,
        ort, stadt
    addresses.region: state, province, county, state region, 省份, 省, область
    addresses.country: country, country region, 国家, 國家, страна,
        land
""")

OWN: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "customers": _table("""
        name: account, account name, company, company name, customer, customer name, client, client name,
        firma, firmenname, kunde, kundenname, unternehmen,
            organization, organisation, firm, business name, 客户, 客户名称, 客戶, 公司, 公司名称,
            企业名称, 公司名稱, клиент, компания, организация, контрагент, название компании
        kind: kind
        country: country, office location, 国家, 國家, страна
    """),
    "contacts": _table("""
        name: contact, contact name, full name, name, person, 联系人, 聯絡人, 姓名, контакт,
            контактное лицо, фио
    """),
    "products": _table("""
        name: product, product name, item, article, item name, 产品, 產品, 产品名称, 產品名稱, товар,
            продукт, наименование
    """),
    "owned_items": _table("""
        name: item, item name, machine, device, equipment, asset, asset name, 设备, 設備, 资产, 物品,
            оборудование, устройство, имущество, gerät, anlage
        serial: serial, serial number, serial no, sn, 序列号, 序號, 序列號, серийный номер, заводской номер,
            seriennummer
        in_service_on: in service, in service date, in use since, installed, installation date,
            投入使用日期, 启用日期, 安裝日期, дата ввода в эксплуатацию
        acquired_on: acquired, purchase date, purchased on, bought on, 购买日期, 購買日期, дата покупки
    """),
    "owned_item_terms": _table("""
        name: term, contract, contract name, warranty, 合同, 保修, договор, гарантия
        item_id: item, owned item, machine, device, asset, serial number, 设备, оборудование
        starts_on: start, start date, starts, from, valid from, 开始日期, 起始日期, дата начала
        ends_on: end, end date, ends, expires, expiry date, expiration date, valid to, 到期日, 结束日期,
            дата окончания
        months: months, term in months, duration, 月数, 個月, месяцев, срок
        provider: provider, insurer, bank, supplier, 提供方, 保险公司, поставщик, страховщик
        contract_number: contract number, policy number, contract no, 合同号, 保单号, номер договора
    """),
    "households": _table("""
        name: household, household name, family, group, 家庭, 家庭名称, 家庭名稱, домохозяйство, семья
        address: address, home address, 地址, 住址, адрес
    """),
    "household_members": _table("""
        household_id: household, family, 家庭, домохозяйство, семья
        customer_id: customer, member, person, 客户, 客戶, 成员, клиент, член семьи
        role: role, 角色, роль
    """),
    "relations": _table("""
        customer_id: customer, from, 客户, 客戶, клиент
        other_id: other, to, related to, related customer, 相关客户, 相關客戶, связан с
        kind: kind, relation, type, 关系, 關係, связь
    """),
    "resources": _table("""
        name: resource, room, machine, 资源, 資源, 房间, ресурс, помещение
        kind: kind, type, category, 类型, 類型, тип, вид
        branch: branch, location, site, 分店, 門店, филиал, место
    """),
    "bookings": _table("""
        name: booking, reservation, subject, title, 预订, 預訂, 预约, бронирование, бронь
        resource_id: resource, room, machine, 资源, 資源, ресурс
        from_at: from, start, start time, begins, 开始时间, 開始時間, начало, с
        to_at: to, end, end time, ends, 结束时间, 結束時間, конец, по
        customer_id: customer, client, 客户, 客戶, клиент
    """),
    "deals": _table("""
        name: deal, deal name, dealname, opportunity, opportunity name, title, 商机, 商机名称, 商機, 项目, сделка,
            название сделки
    """),
    "tickets": _table("""
        subject: subject, title, summary, ticket name, 主题, 主題, тема
        number: ticket number
        description: content, body, message, 内容, 內容, содержание
    """),
}
"""What counts for one record type before the rest."""
