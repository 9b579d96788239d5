package ocpi

import (
	"slices"
	"time"
)

// ShownTo reports whether the Location may be shown to the holder of a token;
// nil stands for somebody without. One that has no EVSE left has expired
// (LOC-10). One that is not published is for those that it names (LOC-14): an
// entry names a token when all that it says is true of the token, and an entry
// that says too little names nobody (LOC-15). Charging is possible at a
// Location whether it is shown or not.
func (l *Location) ShownTo(t *Token) bool {
	alive := slices.ContainsFunc(l.EVSEs, func(e EVSE) bool { return e.Status != EVSERemoved })
	switch {
	case !alive:
		return false
	case l.Publish != nil && *l.Publish:
		return true
	}
	return t != nil && slices.ContainsFunc(l.PublishAllowedTo, func(entry PublishTokenType) bool { return entry.names(t) })
}

func (t *PublishTokenType) names(holder *Token) bool {
	incomplete := t.UID == "" && t.VisualNumber == "" && t.GroupID == "" || t.UID != "" && t.Type == "" || t.VisualNumber != "" && t.Issuer == ""
	return !incomplete &&
		(t.UID == "" || t.UID.Equal(holder.UID)) && (t.Type == "" || t.Type == holder.Type) &&
		(t.VisualNumber == "" || t.VisualNumber == holder.VisualNumber) && (t.Issuer == "" || t.Issuer == holder.Issuer) &&
		(t.GroupID == "" || t.GroupID.Equal(holder.GroupID))
}

// ChargesAt reports whether cars are charged at an instant, as far as the
// opening times tell: a Location that is closed goes on charging unless it
// says that it does not. It is for information, and no reason to refuse
// anybody (LOC-20).
func (l *Location) ChargesAt(at time.Time, zone *time.Location) bool {
	goesOn := l.ChargingWhenClosed == nil || *l.ChargingWhenClosed // TYP-11
	return goesOn || l.OpeningTimes == nil || l.OpeningTimes.OpenAt(at, zone)
}

// OpenAt reports whether the hours include an instant; zone is that of the
// Location. Exceptional closings come before everything, exceptional openings
// before the regular hours (LOC-19). An end that is not after its begin is on
// the next day.
func (h *Hours) OpenAt(at time.Time, zone *time.Location) bool {
	covers := func(p ExceptionalPeriod) bool { return !at.Before(p.PeriodBegin) && at.Before(p.PeriodEnd) }
	switch {
	case slices.ContainsFunc(h.ExceptionalClosings, covers):
		return false
	case slices.ContainsFunc(h.ExceptionalOpenings, covers), h.Twentyfourseven != nil && *h.Twentyfourseven:
		return true
	}
	local := at.In(zone)
	minute, today := local.Hour()*60+local.Minute(), (int(local.Weekday())+6)%7+1
	yesterday := (today+5)%7 + 1
	return slices.ContainsFunc(h.RegularHours, func(r RegularHours) bool {
		begin, ok1 := minuteOfDay(r.PeriodBegin)
		end, ok2 := minuteOfDay(r.PeriodEnd)
		if !ok1 || !ok2 || r.Weekday == nil {
			return false
		}
		overnight := end <= begin
		switch *r.Weekday {
		case today:
			return minute >= begin && (overnight || minute < end)
		case yesterday:
			return overnight && minute < end
		}
		return false
	})
}

// minuteOfDay reads hh:mm, whatever seconds follow.
func minuteOfDay(clock string) (minute int, ok bool) {
	if !clockTime(clock) {
		return 0, false
	}
	h, _ := digits(clock[:2])
	m, _ := digits(clock[3:5])
	return h*60 + m, true
}
