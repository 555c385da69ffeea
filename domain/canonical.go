package domain

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// readCanonical reads an envelope that is in the form that Append writes, and
// reports false for every other. Every replay and rebuild reads every event, and
// encoding/json takes several times as long. It accepts nothing that
// readEnvelope would refuse or read otherwise; a fuzz test holds the two against
// each other.
func readCanonical(raw []byte) (v Envelope, ok bool) {
	v, ok = scanCanonical(raw)
	return v, ok && json.Valid(v.Data)
}

// scanCanonical is readCanonical without a look at the data: whoever reads that
// finds out whether it is JSON.
func scanCanonical(raw []byte) (v Envelope, ok bool) {
	if !utf8.Valid(raw) {
		return v, false
	}
	c := cursor{s: string(raw)} // one copy, which all the strings share
	if !c.skip(`{"specversion":"1.0"`) {
		return v, false
	}
	var subject, at, mediaType, agreement, version, party, effective, evidence string
	for _, m := range [...]struct {
		name string
		to   *string
	}{
		{"id", &v.ID}, {"source", &v.Source}, {"type", &v.Type}, {"subject", &subject}, {"time", &at}, {"datacontenttype", &mediaType},
		{"agreement", &agreement}, {"version", &version}, {"actor", &v.Actor}, {"principal", &v.Principal}, {"party", &party}, {"effective", &effective},
		{"reason", &v.Reason}, {"note", &v.Note}, {"corrects", &v.Corrects}, {"evidence", &evidence}, {"commandid", &v.CommandID},
		{"commandhash", &v.CommandHash}, {"correlationid", &v.Correlation}, {"causationid", &v.Causation},
	} {
		c.member(m.name, m.to)
	}
	if c.failed || !c.skip(`,"data":`) || !strings.HasSuffix(c.s, "}") {
		return v, false
	}
	data := raw[len(raw)-len(c.s) : len(raw)-1]
	var err error
	if v.Version, err = strconv.ParseUint(version, 10, 64); err != nil {
		return v, false
	}
	if v.Time, err = parseTime(at); err != nil {
		return v, false
	}
	if effective != "" {
		if v.Effective, err = ParseDate(effective); err != nil {
			return v, false
		}
	}
	v.Ref, v.Party, v.Evidence, v.Data = ParsePath(Key(agreement), subject), Key(party), splitHashes(evidence), data
	valid := v.ID != "" && v.Type != "" && strings.Contains(subject, "/") &&
		(agreement == "" || v.Ref.Agreement.Valid()) && (party == "" || v.Party.Valid())
	return v, valid
}

// parseTime is time.Parse for the form TimeFormat.
func parseTime(s string) (t time.Time, err error) {
	if len(s) != len(TimeFormat) || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != '.' || s[26] != 'Z' {
		return time.Parse(TimeFormat, s)
	}
	date, err := ParseDate(s[:10])
	hours, minutes, seconds, micros := digits(s[11:13]), digits(s[14:16]), digits(s[17:19]), digits(s[20:26])
	if err != nil || hours < 0 || hours > 23 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59 || micros < 0 {
		return time.Parse(TimeFormat, s)
	}
	unix := int64(date-unixEpochDay)*secondsPerDay + int64(hours*3600+minutes*60+seconds)
	return time.Unix(unix, int64(micros)*1000).UTC(), nil
}

// cursor is what remains to be read.
type cursor struct {
	s      string
	failed bool
}

func (c *cursor) skip(prefix string) bool {
	rest, ok := strings.CutPrefix(c.s, prefix)
	c.s = rest
	return ok
}

// member reads ,"name":"value" or ,"name":123 when it comes next.
func (c *cursor) member(name string, to *string) {
	n := len(name)
	if len(c.s) < n+5 || c.s[0] != ',' || c.s[1] != '"' || c.s[2:2+n] != name || c.s[2+n:4+n] != `":` {
		return
	}
	c.s = c.s[4+n:]
	if name == "version" {
		end := strings.IndexByte(c.s, ',')
		if end <= 0 || c.s[0] == '0' && end > 1 || c.s[0] == '+' {
			c.failed = true
			return
		}
		*to, c.s = c.s[:end], c.s[end:]
		return
	}
	if c.s[0] != '"' {
		c.failed = true
		return
	}
	for i := 1; i < len(c.s); i++ {
		switch b := c.s[i]; {
		case b == '"':
			*to, c.s = c.s[1:i], c.s[i+1:]
			return
		case b == '\\' || b < 0x20: // an escape, or no JSON
			c.failed = true
			return
		}
	}
	c.failed = true
}
