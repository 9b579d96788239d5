package billing

import (
	"fmt"
	"time"

	"github.com/roamwerk/roamwerk/ocpi"
)

const day = 24 * 60 * 60

// localTime is what the clock and the calendar on the wall show.
type localTime struct {
	day    int // since 1 January 1970
	second int // of the day, as if no hour were ever left out or came twice
}

func (t localTime) weekday() time.Weekday {
	return time.Weekday(((int(time.Thursday)+t.day)%7 + 7) % 7)
}

func (t localTime) date() string { return t.utc().Format(time.DateOnly) }

// clock writes the end of a day as 24:00:00.
func (t localTime) clock() string {
	return fmt.Sprintf("%02d:%02d:%02d", t.second/3600, t.second/60%60, t.second%60)
}

func (t localTime) String() string {
	text := make([]byte, 0, len("WEDNESDAY 2006-01-02 15:04:05"))
	text = append(append(text, weekdays[t.weekday()]...), ' ')
	return string(t.utc().AppendFormat(text, time.DateTime))
}

// utc is when a clock in Greenwich shows the same.
func (t localTime) utc() time.Time { return time.Unix(int64(t.day)*day+int64(t.second), 0).UTC() }

// weekdays are in the order of time.Weekday.
var weekdays = [7]ocpi.DayOfWeek{ocpi.Sunday, ocpi.Monday, ocpi.Tuesday, ocpi.Wednesday, ocpi.Thursday, ocpi.Friday, ocpi.Saturday}

// localClock tells the local time. It remembers the offset from UTC and how long it stays.
type localClock struct {
	zone   *time.Location
	offset int64
	from   int64 // Unix seconds between which the offset is known
	to     int64
}

// in sets the clock to a zone.
func (c *localClock) in(zone *time.Location) {
	if c.zone != zone {
		*c = localClock{zone: zone}
	}
}

func (c *localClock) local(at time.Time) localTime {
	seconds := at.Unix() + c.offsetAt(at)
	days := floorDiv(seconds, day)
	return localTime{day: int(days), second: int(seconds - days*day)}
}

// offsetAt is what local time is ahead of UTC, in seconds.
func (c *localClock) offsetAt(at time.Time) int64 {
	unix := at.Unix()
	if unix < c.from || unix >= c.to {
		local := at.In(c.zone)
		_, offset := local.Zone()
		c.offset = int64(offset)
		c.from, c.to = -1<<62, 1<<62
		start, end := local.ZoneBounds()
		if !start.IsZero() {
			c.from = start.Unix()
		}
		if !end.IsZero() {
			c.to = end.Unix()
		}
	}
	return c.offset
}

func floorDiv(n, by int64) int64 {
	quotient := n / by
	if n%by < 0 {
		quotient--
	}
	return quotient
}
