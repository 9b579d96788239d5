package office

// disputeTone is the colour of a state of a dispute.
func disputeTone(state string) string {
	switch state {
	case "open", "answered":
		return "warn"
	case "sent":
		return "info"
	case "credited":
		return "ok"
	case "rejected", "expired":
		return "err"
	}
	return ""
}
