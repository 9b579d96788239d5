package ocpi

// The members of a tariff for quickDecoder, as in cdr_decode.go.

func (d *quickDecoder) tariff(t *Tariff) bool {
	return d.object(&t.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "country_code":
			return 0, text(d, &t.CountryCode)
		case "party_id":
			return 1, text(d, &t.PartyID)
		case "id":
			return 2, text(d, &t.ID)
		case "currency":
			return 3, text(d, &t.Currency)
		case "type":
			return 4, text(d, &t.Type)
		case "tariff_alt_text":
			return 5, d.other(&t.TariffAltText)
		case "tariff_alt_url":
			return 6, text(d, &t.TariffAltURL)
		case "min_price":
			return 7, optional(d, &t.MinPrice, (*quickDecoder).price)
		case "max_price":
			return 8, optional(d, &t.MaxPrice, (*quickDecoder).price)
		case "elements":
			return 9, listOf(d, &t.Elements, 2, (*quickDecoder).tariffElement)
		case "start_date_time":
			return 10, d.instant(&t.StartDateTime)
		case "end_date_time":
			return 11, d.instant(&t.EndDateTime)
		case "energy_mix":
			return 12, d.other(&t.EnergyMix)
		case "last_updated":
			return 13, d.instant(&t.LastUpdated)
		}
		return unknownMember, false
	})
}

func (d *quickDecoder) tariffElement(t *TariffElement) bool {
	return d.object(&t.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "price_components":
			return 0, listOf(d, &t.PriceComponents, 2, (*quickDecoder).priceComponent)
		case "restrictions":
			return 1, optional(d, &t.Restrictions, (*quickDecoder).tariffRestrictions)
		}
		return unknownMember, false
	})
}

func (d *quickDecoder) priceComponent(p *PriceComponent) bool {
	return d.object(&p.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "type":
			return 0, text(d, &p.Type)
		case "price":
			return 1, d.number(&p.Price)
		case "vat":
			return 2, d.number(&p.VAT)
		case "step_size":
			return 3, d.integer(&p.StepSize)
		}
		return unknownMember, false
	})
}

func (d *quickDecoder) tariffRestrictions(t *TariffRestrictions) bool {
	return d.object(&t.Extra, func(name []byte) (int, bool) {
		switch string(name) {
		case "start_time":
			return 0, text(d, &t.StartTime)
		case "end_time":
			return 1, text(d, &t.EndTime)
		case "start_date":
			return 2, text(d, &t.StartDate)
		case "end_date":
			return 3, text(d, &t.EndDate)
		case "min_kwh":
			return 4, d.number(&t.MinKWh)
		case "max_kwh":
			return 5, d.number(&t.MaxKWh)
		case "min_current":
			return 6, d.number(&t.MinCurrent)
		case "max_current":
			return 7, d.number(&t.MaxCurrent)
		case "min_power":
			return 8, d.number(&t.MinPower)
		case "max_power":
			return 9, d.number(&t.MaxPower)
		case "min_duration":
			return 10, d.integer(&t.MinDuration)
		case "max_duration":
			return 11, d.integer(&t.MaxDuration)
		case "day_of_week":
			return 12, listOf(d, &t.DayOfWeek, 5, text[DayOfWeek])
		case "reservation":
			return 13, text(d, &t.Reservation)
		}
		return unknownMember, false
	})
}
