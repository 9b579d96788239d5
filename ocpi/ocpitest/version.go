package ocpitest

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/shopspring/decimal"

	"github.com/roamwerk/roamwerk/ocpi"
)

// A CPO has one stock, that of OCPI 2.2.1, and writes and reads another
// version by hand: what the platform does by its tables has to fit.

// old reports whether the peer speaks OCPI 2.1.1, between two parties and
// without routing headers, message ids and Base64 (VDF-01, VDF-02).
func (p *Peer) old() bool { return p.version == ocpi.Version211 }

// spoken adds to the faults what is none in the peer's version.
func (p *Peer) spoken(f WireFaults) WireFaults {
	if p.old() {
		f.RawToken, f.NoRequestIDs, f.NoRouting = true, true, true
	}
	return f
}

// offers reports whether the peer's version, and kind, has a module.
func (p *Peer) offers(module ocpi.ModuleID) bool {
	switch module {
	case ocpi.ModuleHubClientInfo:
		return p.role == ocpi.RoleHub && !p.old()
	case ocpi.ModuleChargingProfiles:
		return !p.old()
	}
	return true
}

// object is a JSON object.
type object map[string]jsontext.Value

// put sets a member, and takes null and nothing for none.
func (o object) put(name string, v any) {
	if value, ok := v.(jsontext.Value); ok && value == nil {
		delete(o, name)
		return
	}
	text, err := ocpi.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("write %s: %v", name, err)) // texts, objects and lists of them
	}
	o[name] = text
}

func (o object) rename(from, to string) {
	if value, ok := o[from]; ok {
		delete(o, from)
		o[to] = value
	}
}

// sub is the object in a member; empty when there is none.
func (o object) sub(name string) object {
	inner := object{}
	if value := o[name]; value.Kind() == jsontext.KindBeginObject {
		if err := ocpi.Unmarshal(value, &inner); err != nil {
			panic(fmt.Sprintf("read %s: %v", name, err)) // we wrote it
		}
	}
	return inner
}

// each turns the object or the objects in a member.
func (o object) each(name string, turn func(object)) {
	if value, ok := o[name]; ok {
		o[name] = turned(value, turn)
	}
}

// turned is a value in which the object, or each object of the list, was
// turned. Anything else stays.
func turned(value jsontext.Value, turn func(object)) jsontext.Value {
	switch value.Kind() {
	case jsontext.KindBeginObject:
		one := object{}
		if ocpi.Unmarshal(value, &one) != nil {
			return value
		}
		turn(one)
		text, err := ocpi.Marshal(one)
		if err != nil {
			return value
		}
		return text
	case jsontext.KindBeginArray:
		var list []jsontext.Value
		if ocpi.Unmarshal(value, &list) != nil {
			return value
		}
		for i := range list {
			list[i] = turned(list[i], turn)
		}
		text, err := ocpi.Marshal(list)
		if err != nil {
			return value
		}
		return text
	}
	return value
}

// translate writes an object of a module, or a list, in the peer's version.
func (p *Peer) translate(module ocpi.ModuleID, message jsontext.Value) jsontext.Value {
	writers := map[ocpi.VersionNumber]map[ocpi.ModuleID]func(object){
		ocpi.Version211: {
			ocpi.ModuleCredentials: credentials211, ocpi.ModuleLocations: location211, ocpi.ModuleTariffs: tariff211,
			ocpi.ModuleSessions: session211, ocpi.ModuleCDRs: cdr211, ocpi.ModuleTokens: token211,
		},
		ocpi.Version230: {
			ocpi.ModuleCredentials: p.credentials230, ocpi.ModuleTariffs: tariff230, ocpi.ModuleSessions: costs230, ocpi.ModuleCDRs: cdr230,
		},
	}
	if write := writers[p.version][module]; write != nil {
		return turned(message, write)
	}
	return message
}

// understand reads an object of a module, or a list, that the platform wrote
// in the peer's version.
func (p *Peer) understand(module ocpi.ModuleID, message jsontext.Value) jsontext.Value {
	if !p.old() {
		return message
	}
	switch module {
	case ocpi.ModuleCredentials:
		return turned(message, func(o object) {
			role := object{"business_details": o["business_details"], "party_id": o["party_id"], "country_code": o["country_code"]}
			role.put("role", ocpi.RoleEMSP)
			if _, has := o["roles"]; has {
				p.complain("VDF-01", "credentials", "OCPI 2.1.1 has no roles")
			}
			o.put("roles", []object{role})
		})
	case ocpi.ModuleTokens:
		return turned(message, p.readToken211)
	case ocpi.ModuleCommands:
		return turned(message, func(o object) {
			o.each("token", p.readToken211)
			if id := o["reservation_id"]; id != nil && id.Kind() != '0' {
				p.complain("VDF-09", "reservation", "its id is %s and no integer", id)
			} else if id != nil {
				o.put("reservation_id", string(id))
			}
			if _, has := o["connector_id"]; has && o["session_id"] == nil && o["token"] != nil {
				p.complain("VDF-09", "command", "OCPI 2.1.1 has no connector_id")
			}
		})
	}
	return message
}

// readToken211 reads a token of the one eMSP that the connection is with.
func (p *Peer) readToken211(o object) {
	for _, name := range []string{"contract_id", "country_code", "party_id", "group_id"} {
		if _, has := o[name]; has {
			p.complain("VDF-04", "token", "OCPI 2.1.1 has no %s", name)
		}
	}
	o.rename("auth_id", "contract_id")
	for _, emsp := range p.EMSPs() {
		o.put("country_code", emsp.CountryCode)
		o.put("party_id", emsp.PartyID)
	}
}

func ownerless(o object) {
	delete(o, "country_code")
	delete(o, "party_id")
}

func credentials211(o object) {
	var roles []object
	if ocpi.Unmarshal(o["roles"], &roles) != nil || len(roles) != 1 {
		return
	}
	delete(o, "roles")
	for _, name := range []string{"business_details", "party_id", "country_code"} {
		o[name] = roles[0][name]
	}
}

// location211 writes a Location or an EVSE (VDF-03, VDF-08).
func location211(o object) {
	ownerless(o)
	if _, whole := o["publish"]; whole {
		delete(o, "publish")
		o.rename("parking_type", "type")
		if o["type"] == nil {
			o.put("type", "UNKNOWN")
		}
	}
	o.each("evses", location211)
	o.each("connectors", func(c object) {
		c.rename("max_voltage", "voltage")
		c.rename("max_amperage", "amperage")
		var tariffs []ocpi.CiString
		if ocpi.Unmarshal(c["tariff_ids"], &tariffs) == nil && len(tariffs) > 0 {
			c.put("tariff_id", tariffs[0])
		}
		for _, name := range []string{"tariff_ids", "max_electric_power"} {
			delete(c, name)
		}
	})
}

// tariff211 writes a tariff, of which one element prices everything (VDF-07).
func tariff211(o object) {
	ownerless(o)
	for _, name := range []string{"type", "min_price", "max_price", "start_date_time", "end_date_time"} {
		delete(o, name)
	}
	var elements []ocpi.TariffElement
	if ocpi.Unmarshal(o["elements"], &elements) != nil || len(elements) == 0 {
		return
	}
	// The first element that matches has to say everything: what the last one, which always matches, is for otherwise.
	for i := range elements[:len(elements)-1] {
		stated := elements[i].PriceComponents
		for _, c := range elements[len(elements)-1].PriceComponents {
			if !slices.ContainsFunc(stated, func(s ocpi.PriceComponent) bool { return s.Type == c.Type }) {
				elements[i].PriceComponents = append(elements[i].PriceComponents, c)
			}
		}
	}
	o.put("elements", elements)
	o.each("elements", func(e object) {
		e.each("price_components", func(c object) { delete(c, "vat") })
	})
}

// session211 writes a session or a change of one (VDF-05).
func session211(o object) {
	ownerless(o)
	o.rename("start_date_time", "start_datetime")
	o.rename("end_date_time", "end_datetime")
	if id, whole := o["location_id"]; whole {
		o.put("location", object{"id": id, "evses": evses211(object{"uid": o["evse_uid"]}, object{"id": o["connector_id"]})})
	}
	for _, name := range []string{"location_id", "evse_uid", "connector_id", "authorization_reference"} {
		delete(o, name)
	}
	accounts211(o)
}

// cdr211 writes a CDR (VDF-06).
func cdr211(o object) {
	ownerless(o)
	o.rename("end_date_time", "stop_date_time")
	at := o.sub("cdr_location")
	o.put("location", object{
		"id": at["id"], "name": at["name"], "address": at["address"], "city": at["city"], "postal_code": at["postal_code"], "country": at["country"],
		"coordinates": at["coordinates"], "type": jsontext.Value(`"OTHER"`), "last_updated": o["last_updated"],
		"evses": evses211(object{"uid": at["evse_uid"], "evse_id": at["evse_id"], "status": jsontext.Value(`"AVAILABLE"`)}, object{
			"id": at["connector_id"], "standard": at["connector_standard"], "format": at["connector_format"], "power_type": at["connector_power_type"],
		}),
	})
	for _, name := range []string{
		"cdr_location", "session_id", "authorization_reference", "total_fixed_cost", "total_energy_cost", "total_time_cost", "total_parking_cost",
	} {
		delete(o, name)
	}
	o.each("tariffs", tariff211)
	accounts211(o)
}

// accounts211 writes what sessions and CDRs have in common: the contract
// stands for the token, and the price is a number without VAT.
func accounts211(o object) {
	if id := o.sub("cdr_token")["contract_id"]; id != nil {
		o["auth_id"] = id
	}
	delete(o, "cdr_token")
	if cost := o.sub("total_cost")["excl_vat"]; cost != nil {
		o["total_cost"] = cost
	}
	o.each("charging_periods", func(period object) { delete(period, "tariff_id") })
}

// evses211 is the list of the one EVSE with the one connector.
func evses211(evse, connector object) jsontext.Value {
	evse.put("connectors", []object{connector})
	wrapped := object{}
	wrapped.put("evses", []object{evse})
	return wrapped["evses"]
}

func token211(o object) {
	ownerless(o)
	o.rename("contract_id", "auth_id")
	delete(o, "group_id")
}

// credentials230 names a hub beside the CPOs behind it, which are its roles
// (VDF-14).
func (p *Peer) credentials230(o object) {
	if p.role != ocpi.RoleHub {
		return
	}
	o.put("hub_party_id", p.party.CountryCode+p.party.PartyID)
	p.mu.Lock()
	defer p.mu.Unlock()
	roles := []ocpi.CredentialsRole{}
	for _, c := range p.cpos {
		roles = append(roles, ocpi.CredentialsRole{
			Role: ocpi.RoleCPO, CountryCode: c.party.CountryCode, PartyID: c.party.PartyID, BusinessDetails: ocpi.BusinessDetails{Name: c.name},
		})
	}
	o.put("roles", roles)
}

// tariff230 says that the prices are without taxes (VDF-13).
func tariff230(o object) {
	o.put("tax_included", "NO")
	for _, name := range []string{"min_price", "max_price"} {
		o.each(name, func(limit object) {
			limit.rename("excl_vat", "before_taxes")
			limit.rename("incl_vat", "after_taxes")
		})
	}
}

func cdr230(o object) {
	o.each("tariffs", tariff230)
	costs230(o)
}

// costs230 writes prices as what they are before taxes, and the taxes
// (VDF-13).
func costs230(o object) {
	for _, name := range []string{"total_cost", "total_fixed_cost", "total_energy_cost", "total_time_cost", "total_parking_cost"} {
		o.each(name, func(price object) {
			var without, with decimal.NullDecimal
			if ocpi.Unmarshal(price["excl_vat"], &without) != nil {
				return
			}
			if price["incl_vat"] != nil && ocpi.Unmarshal(price["incl_vat"], &with) == nil && with.Valid {
				tax := object{}
				tax.put("name", "VAT")
				tax.put("amount", ocpi.Number(with.Decimal.Sub(without.Decimal)))
				price.put("taxes", []object{tax})
			}
			delete(price, "incl_vat")
			price.rename("excl_vat", "before_taxes")
		})
	}
}
