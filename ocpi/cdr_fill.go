package ocpi

// FillPlace completes the place of a CDR with what its Location says, which
// may be nil, and what the ids of the EVSE say of each other. The notes say
// what was missing.
func (c *CDR) FillPlace(from *Location) Findings {
	var notes Findings
	at := &c.CDRLocation
	fill := func(name string, field *string, value string) {
		if *field == "" && value != "" {
			*field = value
			notes = append(notes, filled("cdr_location."+name, value, QuirkPlaceMissing))
		}
	}
	fillID := func(name string, id *CiString, value CiString) { fill(name, (*string)(id), string(value)) }
	if from != nil {
		fill("address", &at.Address, from.Address)
		fill("city", &at.City, from.City)
		fill("country", &at.Country, from.Country)
		fill("coordinates.latitude", &at.Coordinates.Latitude, from.Coordinates.Latitude)
		fill("coordinates.longitude", &at.Coordinates.Longitude, from.Coordinates.Longitude)
		if evse := from.evseNamed(at.EVSEUID, at.EVSEID); evse != nil {
			fillID("evse_uid", &at.EVSEUID, evse.UID)
			fillID("evse_id", &at.EVSEID, evse.EVSEID)
			if len(evse.Connectors) == 1 {
				fillID("connector_id", &at.ConnectorID, evse.Connectors[0].ID)
			}
			if k := evse.Connector(at.ConnectorID); k != nil {
				fill("connector_standard", (*string)(&at.ConnectorStandard), string(k.Standard))
				fill("connector_format", (*string)(&at.ConnectorFormat), string(k.Format))
				fill("connector_power_type", (*string)(&at.ConnectorPowerType), string(k.PowerType))
			}
		}
	}
	fillID("evse_uid", &at.EVSEUID, at.EVSEID)
	fillID("evse_id", &at.EVSEID, at.EVSEUID)
	return notes
}

// evseNamed returns the EVSE with the uid, or whose uid or evse_id stands where
// the evse_id is due.
func (l *Location) evseNamed(uid, id CiString) *EVSE {
	for _, name := range []CiString{uid, id} {
		if name == "" {
			continue
		}
		if evse := l.EVSE(name); evse != nil {
			return evse
		}
		for i := range l.EVSEs {
			if l.EVSEs[i].EVSEID.Equal(name) {
				return &l.EVSEs[i]
			}
		}
	}
	return nil
}
