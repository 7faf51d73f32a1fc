package countersign.decision

findings contains finding(found[0], rule.id, found[1]) if {
	some rule in matched
	rule.hours
	found := closed(rule.hours)
}

closed(check) := ["deny", "time_missing"] if {
	not now_ns
} else := [check.outside, "outside_hours"] if {
	not open(check)
}

now_ns := time.parse_rfc3339_ns(input.at) if {
	is_string(input.at)
	regex.match(rfc3339, input.at)
}

# In nanoseconds, 1900 to 2099 fit into 64 bits.
rfc3339 := concat("", [
	`^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]`,
	`([.][0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])$`,
])

day_ns := 86400000000000

# A span over midnight belongs to the day it begins on: tonight's beginning, last night's end.
open(check) if {
	minute := minute_of(check)
	some span in spans_on(check, date_of(now_ns, check.zone), time.weekday([now_ns, check.zone]))
	minute >= span[0]
	minute < closing(span)
} else if {
	minute := minute_of(check)
	before := yesterday_ns(check)
	some span in spans_on(check, date_of(before, "UTC"), time.weekday([before, "UTC"]))
	span[0] > span[1]
	minute < span[1]
}

closing(span) := span[1] if {
	span[0] < span[1]
} else := 1440

minute_of(check) := (hour * 60) + minute if [hour, minute, _] := time.clock([now_ns, check.zone])

spans_on(check, date, day) := [] if {
	date in check.holidays
} else := object.get(check.days, day, [])

# The calendar day before, found at noon UTC: days of 23 and 25 hours do not matter to a calendar.
yesterday_ns(check) := time.parse_rfc3339_ns(concat("", [date_of(now_ns, check.zone), "T12:00:00Z"])) - day_ns

date_of(ns, zone) := sprintf("%04d-%02d-%02d", time.date([ns, zone]))
