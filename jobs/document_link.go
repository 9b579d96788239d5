package jobs

import (
	"crypto/hmac"
	"encoding/base64"

	"github.com/google/uuid"

	"github.com/roamwerk/roamwerk/db"
	"github.com/roamwerk/roamwerk/db/seal"
)

// linkProof is how many bytes of a keyed hash prove that a link is ours.
const linkProof = 16

// documentURL is where a customer finds an issued document and what belongs to it, without signing in: who has the letter or
// the e-mail has the document.
func (o *Ops) documentURL(invoice uuid.UUID, language string) string {
	return o.BaseURL + "/" + language + "/d/" + documentKey(o.Box, invoice)
}

func documentKey(box *seal.Box, invoice uuid.UUID) string {
	return base64.RawURLEncoding.EncodeToString(append(invoice[:], box.Hash("document/" + invoice.String())[:linkProof]...))
}

// LinkedDocument is the invoice that a link leads to. It returns db.ErrNotFound for a link that is not ours.
func (o *Ops) LinkedDocument(key string) (uuid.UUID, error) {
	b, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil || len(b) != len(uuid.UUID{})+linkProof {
		return uuid.Nil, db.ErrNotFound
	}
	id := uuid.UUID(b[:len(uuid.UUID{})])
	if !hmac.Equal([]byte(key), []byte(documentKey(o.Box, id))) {
		return uuid.Nil, db.ErrNotFound
	}
	return id, nil
}
