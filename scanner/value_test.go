package scanner

import (
	"strings"
	"testing"
)

func TestStartsName(t *testing.T) {
	for _, c := range []struct {
		text, keyword string
		want          bool
	}{
		{"BOX_API_KEY=", "box_api", true},
		{"my-box_api", "box_api", true},
		{"my_box_api", "box_api", true},
		{"myBoxApi", "boxapi", true},
		{"HTTPBoxApi", "boxapi", true},
		{`"A=1\nbox_api=`, "box_api", true},
		{"2captcha", "captcha", true},
		{"SANDBOX_API_KEY=", "box_api", false},
		{"inbox_api", "box_api", false},
		{"CameraKit", "meraki", false},
		{"mybitbucketkey", "bitbucket", true}, // long enough to be no accident
		{"MYBITBUCKETKEY", "bitbucket", true},
		{"sqlalchemy_key", "alchemy", false},
	} {
		at := strings.Index(strings.ToLower(c.text), c.keyword)
		if got := startsName([]byte(c.text), at, at+len(c.keyword)); got != c.want {
			t.Errorf("%s in %s: %v, want %v", c.keyword, c.text, got, c.want)
		}
	}
}
