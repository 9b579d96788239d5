package ocpi

// Patch returns the tariff with the patch applied, as OCPI 2.1.1 has it and
// 2.2.1 no longer (VDF-07). The receiver is left as it is. The error for a
// wrong patch is an *Error.
func (t *Tariff) Patch(patch []byte, decode Decoder) (*Tariff, error) {
	var p Tariff
	if err := decode(patch, &p); err != nil {
		return nil, err
	}
	members := membersOf(patch)
	err := checkPatch(members, p.LastUpdated,
		identity{"country_code", t.CountryCode, p.CountryCode},
		identity{"party_id", t.PartyID, p.PartyID},
		identity{"id", t.ID, p.ID})
	if err != nil {
		return nil, err
	}
	merged, err := patched(t, without(members, "country_code", "party_id", "id"), decode)
	if err != nil {
		return nil, err
	}
	return merged, merged.Validate().Err()
}
