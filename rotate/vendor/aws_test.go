package vendor

import (
	"net/http"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/rules"
	"github.com/till-sh/till/scanner"
)

// TestPartitions: a key of GovCloud or China is unknown to the rest of AWS, which
// says the same of a key that was deleted.
func TestPartitions(t *testing.T) {
	s := rotatetest.New(t, nil)
	mine := rotatetest.Answer(200, `{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Arn":"arn:aws-us-gov:iam::1:user/deploy"}}}`)
	none := rotatetest.Answer(403, `{"Error":{"Code":"InvalidClientTokenId"}}`)
	for _, c := range []struct {
		name string
		gov  http.HandlerFunc
		cn   http.HandlerFunc
		want rotate.Validity
		host string
	}{
		{"deleted", none, none, rotate.Inactive, "sts.amazonaws.com"},
		{"GovCloud", mine, none, rotate.Active, "sts.us-gov-west-1.amazonaws.com"},
		{"China", none, mine, rotate.Active, "sts.cn-north-1.amazonaws.com.cn"},
		{"GovCloud fails", rotatetest.Answer(503, ""), none, rotate.Unknown, "sts.amazonaws.com"},
		{"China fails", none, rotatetest.Answer(403, "<html>"), rotate.Unknown, "sts.amazonaws.com"},
		{"another secret of it", rotatetest.Answer(403, `{"Error":{"Code":"SignatureDoesNotMatch"}}`), none, rotate.Unknown, "sts.us-gov-west-1.amazonaws.com"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Handle(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.Contains(r.Host, "us-gov"):
					c.gov(w, r)
				case strings.HasSuffix(r.Host, ".cn"):
					c.cn(w, r)
				default:
					none(w, r)
				}
			})
			j := jobOf(&row{name: "aws-sts", secret: strings.Repeat("Zk3vQ9xL2m", 4), id: "AKIAOU" + "OEVRLT6HXTMUZI"}, s)
			v, err := j.Verify(t.Context(), j.Leak.Secret)
			if err != nil || v.Validity != c.want || v.Host != c.host {
				t.Errorf("%s at %s (%s, %v), want %s", v.Validity, v.Host, v.Why, err, c.want)
			}
		})
	}
}

// TestNearestHalf: the death of the id that stands nearest says nothing about a
// secret that another id may be of.
func TestNearestHalf(t *testing.T) {
	s := rotatetest.New(t, rotatetest.Answer(403, `{"Error":{"Code":"InvalidClientTokenId"}}`))
	for sure, want := range map[bool]rotate.Validity{true: rotate.Inactive, false: rotate.Unknown} {
		r := row{name: "aws-sts", secret: strings.Repeat("Zk3vQ9xL2m", 4), id: "AKIAOU" + "OEVRLT6HXTMUZI"}
		j := jobOf(&r, s)
		j.Leak.Partner = &scanner.Partner{Rule: &rules.Rule{Description: "the id"}, Secret: scanner.NewSecret([]byte(r.id)), Sure: sure}
		if v, err := j.Verify(t.Context(), j.Leak.Secret); err != nil || v.Validity != want {
			t.Errorf("sure %v: %s (%s, %v), want %s", sure, v.Validity, v.Why, err, want)
		}
	}
}
