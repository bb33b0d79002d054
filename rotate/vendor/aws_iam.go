package vendor

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/rules/checksum"
	"github.com/till-sh/till/scanner"
)

// awsIAM deactivates the leaked access key, and activates it again. Like its
// sisters below it works with an access key of the owner
// ({{admin_key_id}}, {{admin}}); the user is the one that IAM names for the
// leaked key's id, so no other user's key can be touched
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html).
type awsIAM struct{}

// awsIAMCreate makes a second access key for the leaked key's user
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html).
type awsIAMCreate struct{}

// awsIAMDelete deletes the leaked key, when it is inactive
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html).
type awsIAMDelete struct{}

const (
	iamURL     = "https://iam.amazonaws.com/"
	iamVersion = "2010-05-08"
	// awsMaxKeys is how many access keys a user can have
	// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
	awsMaxKeys = 2
)

// iamAnswer is what of IAM's answers is read. IAM speaks XML.
type iamAnswer struct {
	User  string    `xml:"GetAccessKeyLastUsedResult>UserName"`
	New   iamNewKey `xml:"CreateAccessKeyResult>AccessKey"`
	Keys  []iamKey  `xml:"ListAccessKeysResult>AccessKeyMetadata>member"`
	Error iamError  `xml:"Error"`
	Cut   bool      `xml:"ListAccessKeysResult>IsTruncated"`
}

type (
	iamNewKey struct{ AccessKeyId, SecretAccessKey string }
	iamKey    struct{ AccessKeyId, Status, CreateDate string }
	iamError  struct{ Code string }
)

func (awsIAM) Describe(j *rotate.Job) []string {
	return []string{iamWhose(j), "POST " + iamURL + " Action=UpdateAccessKey AccessKeyId=" + shownID(j) + " Status=Inactive"}
}

func (awsIAMCreate) Describe(j *rotate.Job) []string {
	return []string{iamWhose(j), "POST " + iamURL + " Action=CreateAccessKey, for that user"}
}

func iamWhose(j *rotate.Job) string {
	return "POST " + iamURL + " Action=GetAccessKeyLastUsed AccessKeyId=" + shownID(j) + " (signed with your own key): whose it is"
}

func (awsIAMDelete) Describe(j *rotate.Job) []string {
	return []string{"POST " + iamURL + " Action=DeleteAccessKey AccessKeyId=" + shownID(j) + " (signed with your own key), if it is inactive"}
}

func shownID(j *rotate.Job) string {
	if j.Leak.PublicID == "" {
		return "{{id}}"
	}
	return j.Leak.PublicID
}

func (awsIAMCreate) Issue(ctx context.Context, j *rotate.Job) (rotate.Issued, error) {
	s, err := iamSessionFor(ctx, j)
	if err != nil {
		return rotate.Issued{}, err
	}
	if _, err := s.leaked(ctx); err != nil {
		return rotate.Issued{}, err
	}
	if len(s.keys) >= awsMaxKeys {
		return rotate.Issued{}, fmt.Errorf("user %s has %d access keys, which is all that AWS allows: delete the one that is not in use first, or switch the leaked one off before", s.user, len(s.keys))
	}
	a, err := s.call(ctx, false, url.Values{"Action": {"CreateAccessKey"}, "UserName": {s.user}})
	if err != nil {
		return rotate.Issued{}, err
	}
	if a.New.SecretAccessKey == "" || a.New.AccessKeyId == "" {
		return rotate.Issued{}, fmt.Errorf("AWS has answered, but not with a new key: look whether user %s has one now, and delete it", s.user)
	}
	return rotate.Issued{ID: a.New.AccessKeyId, Secret: scanner.NewSecret([]byte(a.New.SecretAccessKey))}, nil
}

func (awsIAM) Revoke(ctx context.Context, j *rotate.Job) error { return setStatus(ctx, j, "Inactive") }
func (awsIAM) Undo(ctx context.Context, j *rotate.Job) error   { return setStatus(ctx, j, "Active") }

func setStatus(ctx context.Context, j *rotate.Job, status string) error {
	s, err := iamSessionFor(ctx, j)
	if err != nil {
		return err
	}
	k, err := s.leaked(ctx)
	if err != nil || k.Status == status {
		return err
	}
	_, err = s.call(ctx, true, url.Values{"Action": {"UpdateAccessKey"}, "UserName": {s.user}, "AccessKeyId": {s.id}, "Status": {status}})
	return err
}

func (awsIAMDelete) Revoke(ctx context.Context, j *rotate.Job) error {
	s, err := iamSessionFor(ctx, j)
	if err != nil {
		return err
	}
	k, err := s.leaked(ctx)
	switch {
	case errors.Is(err, rotate.ErrNotFound) && s.user != "":
		return s.gone(ctx, err)
	case err != nil:
		return err
	case k.Status != "Inactive":
		return fmt.Errorf("access key %s is active again: somebody still needed it; deactivate it first", s.id)
	}
	_, err = s.call(ctx, true, url.Values{"Action": {"DeleteAccessKey"}, "UserName": {s.user}, "AccessKeyId": {s.id}})
	return err
}

// iamSession is the leaked key's user as the owner's key sees it.
type iamSession struct {
	j    *rotate.Job
	key  awsKey
	id   string   // of the leaked key
	user string   // that it belongs to
	keys []iamKey // of that user

	listed bool // keys were read
}

func iamSessionFor(ctx context.Context, j *rotate.Job) (*iamSession, error) {
	s := &iamSession{j: j}
	var err error
	if s.id, err = j.PublicID(ctx, j.Leak.Secret); err != nil {
		return nil, fmt.Errorf("the id of the access key: %w", err)
	}
	if strings.HasPrefix(s.id, "ASIA") {
		return nil, errors.New("a temporary key belongs to a session: it cannot be replaced or switched off by itself")
	}
	for _, want := range []struct {
		name string
		to   *string
	}{{"admin_key_id", &s.key.id}, {"admin", &s.key.secret}, {"admin_session_token", &s.key.token}} {
		if want.name == "admin_session_token" && !strings.HasPrefix(s.key.id, "ASIA") {
			break // only temporary keys have one
		}
		v, err := j.Value(ctx, want.name)
		if err != nil {
			return nil, err
		}
		*want.to = v.Text
	}
	return s, nil
}

// leaked finds the leaked key among those of its user.
func (s *iamSession) leaked(ctx context.Context) (iamKey, error) {
	a, err := s.call(ctx, true, url.Values{"Action": {"GetAccessKeyLastUsed"}, "AccessKeyId": {s.id}})
	switch known := s.j.Known()["user"]; {
	case err == nil:
		s.user = a.User
	case errors.Is(err, rotate.ErrNotFound) && known != "": // found once, deleted since
		s.user = known
	default:
		return iamKey{}, err
	}
	if s.user == "" {
		return iamKey{}, fmt.Errorf("%w: AWS names no user for access key %s (a root user's key is removed by signing in as root)", rotate.ErrAmbiguous, s.id)
	}
	s.j.Remember("user", call.Value{Text: s.user})
	if a, err = s.call(ctx, true, url.Values{"Action": {"ListAccessKeys"}, "UserName": {s.user}}); err != nil {
		return iamKey{}, err
	}
	if s.keys, s.listed = a.Keys, true; a.Cut {
		return iamKey{}, fmt.Errorf("%w: AWS lists only a part of the keys of user %s", rotate.ErrAmbiguous, s.user)
	}
	for _, k := range a.Keys {
		if k.AccessKeyId == s.id {
			return k, nil
		}
	}
	return iamKey{}, fmt.Errorf("%w: user %s has no access key %s", rotate.ErrNotFound, s.user, s.id)
}

// gone judges "no such key": another account says it of every key, and may have a
// user of the same name. So it is true only of the account whose number stands in
// the id of the key, and when the list of the user was read.
func (s *iamSession) gone(ctx context.Context, notFound error) error {
	v, _, err := partitions[0].ask(ctx, s.j, s.key)
	if err != nil {
		return fmt.Errorf("%w; which account was asked is not known: %w", notFound, err)
	}
	// arn:aws:iam::ACCOUNT:user/NAME
	arn := strings.SplitN(v.Identity, ":", 6)
	if len(arn) != 6 || arn[4] == "" {
		return fmt.Errorf("%w; which account was asked is not known: %s", notFound, v.Why)
	}
	switch mine := checksum.Read("aws-access-key-id", s.id).Account; {
	case mine == "":
		return fmt.Errorf("%w in account %s, which your own key belongs to; whether that is the account of %s cannot be read from its id", notFound, arn[4], s.id)
	case mine != arn[4]:
		return fmt.Errorf("%w in account %s, which your own key belongs to; %s is a key of account %s: take an admin credential of that one", notFound, arn[4], s.id, mine)
	case !s.listed:
		return fmt.Errorf("%w: account %s has no user %s whose keys could be looked at", notFound, arn[4], s.user)
	}
	return nil
}

// call makes one request of IAM's query API.
func (s *iamSession) call(ctx context.Context, repeatable bool, form url.Values) (*iamAnswer, error) {
	action := form.Get("Action")
	form.Set("Version", iamVersion)
	q := call.Request{
		Method: http.MethodPost, URL: iamURL, Body: []byte(form.Encode()), Repeatable: repeatable,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}},
	}
	signAWS(&q, s.key, "us-east-1", "iam", s.j.Now())
	a, err := s.j.HTTP.Do(ctx, q)
	if err != nil {
		return nil, err
	}
	var out iamAnswer
	if err := xml.Unmarshal(a.Body, &out); err != nil && a.Status == http.StatusOK {
		return nil, fmt.Errorf("IAM %s: the answer is no XML", action)
	}
	if a.Status == http.StatusOK {
		return &out, nil
	}
	err = fmt.Errorf("IAM %s: HTTP %d %s", action, a.Status, out.Error.Code)
	switch out.Error.Code {
	case "AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken":
		err = fmt.Errorf("%w (%w)", err, rotate.ErrDenied)
	case "NoSuchEntity":
		err = fmt.Errorf("%w (%w)", err, rotate.ErrNotFound)
	}
	return nil, err
}
