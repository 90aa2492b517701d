package hubsim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// token is an installation token: one hour, perhaps for fewer repositories and
// permissions than the installation has.
type token struct {
	inst    *installation
	expires time.Time
	perms   map[string]string
	only    map[int64]bool // nil: all repositories
}

// installation is the App on one account, with all its repositories.
type installation struct {
	id        int64
	owner     *account
	created   time.Time
	suspended time.Time
	gone      bool
}

// readAuth finds out who is calling, without judging yet, so that even a
// failing call is booked to the right installation.
func (c *call) readAuth() {
	h := c.r.Header.Get("Authorization")
	kind, value, _ := strings.Cut(h, " ")
	if !strings.EqualFold(kind, "bearer") && !strings.EqualFold(kind, "token") {
		return
	}
	if t := c.tokens[value]; t != nil && c.authNow().Before(t.expires) && !t.inst.gone {
		c.tok = t
		return
	}
	c.jwt = c.validJWT(value) == nil
}

// authorised decides who may pass to a route at all.
func (c *call) authorised() bool {
	shown := c.r.Header.Get("Authorization") != ""
	switch c.rt.auth {
	case asApp:
		if c.jwt {
			return true
		}
		value := c.r.Header.Get("Authorization")
		_, value, _ = strings.Cut(value, " ")
		if err := c.validJWT(value); err != nil {
			c.fail(401, err.Error())
			return false
		}
	case asAnyone:
		if shown && c.tok == nil && !c.jwt {
			c.fail(401, "Bad credentials")
			return false
		}
	case asInstallation:
		if c.tok != nil && !c.tok.inst.suspended.IsZero() {
			c.fail(403, "This installation has been suspended")
			return false
		}
		if c.tok == nil && (shown || !c.rt.open) {
			msg := "Bad credentials"
			if !shown {
				msg = "Requires authentication"
			}
			c.fail(401, msg)
			return false
		}
	}
	return true
}

// validJWT checks an App token as GitHub does: RS256 by the App's key, issued
// by the App, not from the future, alive, and for at most ten minutes.
//
// https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
func (c *call) validJWT(s string) error {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return fmt.Errorf("A JSON web token could not be decoded") //nolint:staticcheck // GitHub's words
	}
	var head struct{ Alg string }
	var claims struct {
		Iss json.RawMessage
		Iat float64
		Exp float64
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !part(parts[0], &head) || !part(parts[1], &claims) || head.Alg != "RS256" {
		return fmt.Errorf("A JSON web token could not be decoded") //nolint:staticcheck // GitHub's words
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(&c.key.PublicKey, crypto.SHA256, sum[:], sig) != nil {
		return fmt.Errorf("A JSON web token could not be decoded") //nolint:staticcheck // GitHub's words
	}
	if iss := strings.Trim(string(claims.Iss), `"`); iss != strconv.FormatInt(c.app.ID, 10) {
		return fmt.Errorf("'Issuer' claim ('iss') must be an Integer")
	}
	now := float64(c.authNow().Unix())
	switch {
	case claims.Exp <= now:
		return fmt.Errorf("'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
	case claims.Exp > now+600+60:
		return fmt.Errorf("'Expiration time' claim ('exp') is too far in the future")
	case claims.Iat > now+60: // GitHub forgives a minute of drift
		return fmt.Errorf("'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
	}
	return nil
}

func part(s string, v any) bool {
	b, err := base64.RawURLEncoding.DecodeString(s)
	return err == nil && json.Unmarshal(b, v) == nil
}

// mint makes a token of today's shape: ghs_<APPID>_<JWT>, some 520 characters
// with dots in it. Who treats it as anything but opaque will notice.
func (s *Sim) mint(t *token) string {
	n := s.id()
	b64 := base64.RawURLEncoding.EncodeToString
	var sig []byte
	for i := range 8 { // reproducible, and secret enough for a simulation
		h := sha256.Sum256(fmt.Appendf(nil, "%d/%d/%d", n, t.inst.id, i))
		sig = append(sig, h[:]...)
	}
	head := b64([]byte(`{"alg":"RS256","typ":"JWT","kid":"sim"}`))
	claims := b64(fmt.Appendf(nil, `{"iss":"github","sub":"installation:%d","exp":%d,"jti":"%d"}`, t.inst.id, t.expires.Unix(), n))
	v := fmt.Sprintf("ghs_%d_%s.%s.%s", s.app.ID, head, claims, b64(sig))
	s.tokens[v] = t
	return v
}

// createToken may narrow a token to some repositories and permissions; asking
// for more than the installation grants is refused.
//
// https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app
func createToken(c *call) {
	in := c.installation(c.int("installation_id"))
	if in == nil {
		c.notFound()
		return
	}
	if !in.suspended.IsZero() {
		c.fail(403, "This installation has been suspended")
		return
	}
	// The hour runs on the clock by which callers judge expiry.
	t := &token{inst: in, expires: c.authNow().Add(time.Hour).Truncate(time.Second), perms: map[string]string{}}
	maps.Copy(t.perms, c.granted)
	if asked, ok := c.body["permissions"].(obj); ok {
		t.perms = map[string]string{}
		for k, v := range asked {
			level, _ := v.(string)
			if k != "metadata" && !enough(c.granted[k], level) {
				c.fail(422, "The permissions requested are not granted to this installation.")
				return
			}
			t.perms[k] = level
		}
	}
	answer := obj{"expires_at": stamp(t.expires), "permissions": withMetadata(t.perms), "repository_selection": "all"}
	if !c.narrow(t, answer) {
		return
	}
	answer["token"] = c.mint(t)
	c.reply(http.StatusCreated, answer)
}

// narrow applies the repositories and repository_ids of a token request.
func (c *call) narrow(t *token, answer obj) bool {
	names, byName := c.list("repositories")
	ids, byID := c.body["repository_ids"].([]any)
	if !byName && !byID {
		return true
	}
	t.only = map[int64]bool{}
	var shown []any
	add := func(r *repo) bool {
		if r == nil || r.owner != t.inst.owner {
			c.fail(422, "There is at least one repository that does not exist or is not accessible to the parent installation.")
			return false
		}
		t.only[r.id] = true
		shown = append(shown, c.repoObj(r))
		return true
	}
	for _, n := range names {
		if !add(c.repos[c.names[fold(t.inst.owner.login+"/"+n)]]) {
			return false
		}
	}
	for _, x := range ids {
		f, _ := x.(float64)
		if !add(c.repos[int64(f)]) {
			return false
		}
	}
	answer["repositories"], answer["repository_selection"] = shown, "selected"
	return true
}

func withMetadata(p map[string]string) obj {
	out := obj{"metadata": "read"}
	for k, v := range p {
		out[k] = v
	}
	return out
}
