package countersign.decision

findings contains finding("deny", rule.id, "time_missing") if {
	some rule in matched
	rule.hours
	not time_known
}

findings contains finding(rule.hours.outside, rule.id, "outside_hours") if {
	some rule in matched
	check := rule.hours
	time_known
	not open(check)
}

# Beside these, engines mean different moments, or none. 30 February is left: it denies.
moment := concat("", [
	`^(19[7-9]|20[0-9]|21[0-9])[0-9]-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])`,
	`T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`,
])

now_ns := time.parse_rfc3339_ns(input.at) if {
	is_string(input.at)
	regex.match(moment, input.at)
}

time_known if is_number(now_ns)

day_ns := 86400000000000

open(check) if {
	some span in spans_of(check, now_ns)
	span[0] < span[1]
	minute := minute_of(check)
	minute >= span[0]
	minute < span[1]
}

# A span over midnight belongs to the day it begins on: tonight's beginning, last night's end.
open(check) if {
	some span in spans_of(check, now_ns)
	span[0] > span[1]
	minute_of(check) >= span[0]
}

open(check) if {
	some span in spans_on(check, yesterday(check))
	span[0] > span[1]
	minute_of(check) < span[1]
}

minute_of(check) := (hour * 60) + minute if [hour, minute, _] := time.clock([now_ns, check.zone])

spans_of(check, moment) := spans_on(check, local_day(check, moment))

spans_on(check, day) := [] if day.date in check.holidays

spans_on(check, day) := object.get(check.days, day.name, []) if not day.date in check.holidays

local_day(check, moment) := {"date": date_text(time.date([moment, check.zone])), "name": time.weekday([moment, check.zone])}

# The calendar day before, found at noon UTC: days of 23 and 25 hours do not matter to a calendar.
yesterday(check) := {"date": date_text(time.date([before, "UTC"])), "name": time.weekday([before, "UTC"])} if {
	today := date_text(time.date([now_ns, check.zone]))
	before := time.parse_rfc3339_ns(concat("", [today, "T12:00:00Z"])) - day_ns
}

date_text(parts) := sprintf("%04d-%02d-%02d", parts)
