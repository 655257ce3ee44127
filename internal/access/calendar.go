package access

// CalendarPath is where calendar programs read who is on call. They can send no header, so that here alone a token may stand in the
// address, in the parameter CalendarToken, if it holds nothing but RoleCalendar.
const (
	CalendarPath  = "/sb/v1/oncall/calendar.ics"
	CalendarToken = "token"
	RoleCalendar  = "calendar"
)
