package ocpi

import "cmp"

// The members of a CDR for quickDecoder, each with a number of its own. TestQuickDecoderKnowsAll holds them to the structs.

func (d *quickDecoder) cdr(c *CDR) bool {
	return d.object(&c.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "country_code":
			return 0, text(d, &c.CountryCode)
		case "party_id":
			return 1, text(d, &c.PartyID)
		case "id":
			return 2, text(d, &c.ID)
		case "start_date_time":
			return 3, d.instant(&c.StartDateTime)
		case "end_date_time":
			return 4, d.instant(&c.EndDateTime)
		case "session_id":
			return 5, text(d, &c.SessionID)
		case "cdr_token":
			return 6, d.cdrToken(&c.CDRToken)
		case "auth_method":
			return 7, text(d, &c.AuthMethod)
		case "authorization_reference":
			return 8, text(d, &c.AuthorizationReference)
		case "cdr_location":
			return 9, d.cdrLocation(&c.CDRLocation)
		case "meter_id":
			return 10, text(d, &c.MeterID)
		case "currency":
			return 11, text(d, &c.Currency)
		case "tariffs":
			return 12, listOf(d, &c.Tariffs, 1, (*quickDecoder).tariff)
		case "charging_periods":
			return 13, listOf(d, &c.ChargingPeriods, 2, (*quickDecoder).chargingPeriod)
		case "signed_data":
			return 14, d.other(&c.SignedData)
		case "total_cost":
			return 15, d.price(&c.TotalCost)
		case "total_fixed_cost":
			return 16, optional(d, &c.TotalFixedCost, (*quickDecoder).price)
		case "total_energy":
			return 17, d.number(&c.TotalEnergy)
		case "total_energy_cost":
			return 18, optional(d, &c.TotalEnergyCost, (*quickDecoder).price)
		case "total_time":
			return 19, d.number(&c.TotalTime)
		case "total_time_cost":
			return 20, optional(d, &c.TotalTimeCost, (*quickDecoder).price)
		case "total_parking_time":
			return 21, d.number(&c.TotalParkingTime)
		case "total_parking_cost":
			return 22, optional(d, &c.TotalParkingCost, (*quickDecoder).price)
		case "total_reservation_cost":
			return 23, optional(d, &c.TotalReservationCost, (*quickDecoder).price)
		case "remark":
			return 24, text(d, &c.Remark)
		case "invoice_reference_id":
			return 25, text(d, &c.InvoiceReferenceID)
		case "credit":
			return 26, d.boolean(&c.Credit)
		case "credit_reference_id":
			return 27, text(d, &c.CreditReferenceID)
		case "home_charging_compensation":
			return 28, d.boolean(&c.HomeChargingCompensation)
		case "last_updated":
			return 29, d.instant(&c.LastUpdated)
		}
		return unknownMember, false
	})
}

func (d *quickDecoder) cdrToken(c *CDRToken) bool {
	return d.object(&c.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "country_code":
			return 0, text(d, &c.CountryCode)
		case "party_id":
			return 1, text(d, &c.PartyID)
		case "uid":
			return 2, text(d, &c.UID)
		case "type":
			return 3, text(d, &c.Type)
		case "contract_id":
			return 4, text(d, &c.ContractID)
		}
		return unknownMember, false
	})
}

func (d *quickDecoder) cdrLocation(c *CDRLocation) bool {
	return d.object(&c.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "id":
			return 0, text(d, &c.ID)
		case "name":
			return 1, text(d, &c.Name)
		case "address":
			return 2, text(d, &c.Address)
		case "city":
			return 3, text(d, &c.City)
		case "postal_code":
			return 4, text(d, &c.PostalCode)
		case "state":
			return 5, text(d, &c.State)
		case "country":
			return 6, text(d, &c.Country)
		case "coordinates":
			return 7, d.geoLocation(&c.Coordinates)
		case "evse_uid":
			return 8, text(d, &c.EVSEUID)
		case "evse_id":
			return 9, text(d, &c.EVSEID)
		case "connector_id":
			return 10, text(d, &c.ConnectorID)
		case "connector_standard":
			return 11, text(d, &c.ConnectorStandard)
		case "connector_format":
			return 12, text(d, &c.ConnectorFormat)
		case "connector_power_type":
			return 13, text(d, &c.ConnectorPowerType)
		}
		return unknownMember, false
	})
}

func (d *quickDecoder) geoLocation(g *GeoLocation) bool {
	return d.object(&g.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "latitude":
			return 0, text(d, &g.Latitude)
		case "longitude":
			return 1, text(d, &g.Longitude)
		}
		return unknownMember, false
	})
}

func (d *quickDecoder) chargingPeriod(c *ChargingPeriod) bool {
	return d.object(&c.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "start_date_time":
			return 0, d.instant(&c.StartDateTime)
		case "dimensions":
			ok := listOf(d, &c.Dimensions, cmp.Or(d.dimensions, 2), (*quickDecoder).cdrDimension)
			d.dimensions = len(c.Dimensions)
			return 1, ok
		case "tariff_id":
			return 2, text(d, &c.TariffID)
		}
		return unknownMember, false
	})
}

func (d *quickDecoder) cdrDimension(c *CDRDimension) bool {
	return d.object(&c.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "type":
			return 0, text(d, &c.Type)
		case "volume":
			return 1, d.number(&c.Volume)
		}
		return unknownMember, false
	})
}

func (d *quickDecoder) price(p *Price) bool {
	return d.object(&p.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "excl_vat":
			return 0, d.number(&p.ExclVAT)
		case "incl_vat":
			return 1, d.number(&p.InclVAT)
		}
		return unknownMember, false
	})
}
