package vendor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/till-sh/till/rotate"
	"github.com/till-sh/till/rotate/call"
	"github.com/till-sh/till/scanner"
)

// alibabaRAM switches the leaked AccessKey of a RAM user off, and on again. Like
// its sisters below it works with an AccessKey of the owner ({{admin_key_id}},
// {{admin}}); the user is the one that STS names for the leaked key, or {{user}},
// and the key has to be in that user's list
// (https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-updateaccesskey).
type alibabaRAM struct{}

// alibabaRAMCreate makes a second AccessKey for the leaked key's user
// (https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-createaccesskey).
type alibabaRAMCreate struct{}

// alibabaRAMDelete deletes the leaked key, when it is inactive
// (https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-deleteaccesskey).
type alibabaRAMDelete struct{}

const (
	ramHost = "ram.aliyuncs.com"
	// ramMaxKeys is how many AccessKeys a RAM user can have
	// (https://www.alibabacloud.com/help/en/ram/product-overview/limits).
	ramMaxKeys = 2
)

// ramAnswer is what of RAM's answers is read.
type ramAnswer struct {
	RequestId, Code string
	AccessKey       struct{ AccessKeyId, AccessKeySecret string }
	AccessKeys      struct{ AccessKey []ramKey }
}

type ramKey struct{ AccessKeyId, Status string }

func (alibabaRAM) Describe(j *rotate.Job) []string {
	return []string{ramWhose(j), "POST https://" + ramHost + "/ Action=UpdateAccessKey UserAccessKeyId=" + shownID(j) + " Status=Inactive"}
}

func (alibabaRAMCreate) Describe(j *rotate.Job) []string {
	return []string{ramWhose(j), "POST https://" + ramHost + "/ Action=CreateAccessKey, for that user"}
}

func (alibabaRAMDelete) Describe(j *rotate.Job) []string {
	return []string{"POST https://" + ramHost + "/ Action=DeleteAccessKey UserAccessKeyId=" + shownID(j) + " (signed with your own key), if it is inactive"}
}

func ramWhose(j *rotate.Job) string {
	return "POST https://" + ramHost + "/ Action=ListAccessKeys (signed with your own key): that " + shownID(j) + " is its user's"
}

func (alibabaRAMCreate) Issue(ctx context.Context, j *rotate.Job) (rotate.Issued, error) {
	s, err := ramSessionFor(ctx, j)
	if err != nil {
		return rotate.Issued{}, err
	}
	if _, err := s.leaked(ctx); err != nil {
		return rotate.Issued{}, err
	}
	if len(s.keys) >= ramMaxKeys {
		return rotate.Issued{}, fmt.Errorf("user %s has %d AccessKeys, which is all that Alibaba Cloud allows: delete the one that is not in use first, or the leaked one before", s.user, len(s.keys))
	}
	a, err := s.call(ctx, false, url.Values{"Action": {"CreateAccessKey"}, "UserName": {s.user}})
	if err != nil {
		return rotate.Issued{}, err
	}
	if a.AccessKey.AccessKeySecret == "" || a.AccessKey.AccessKeyId == "" {
		return rotate.Issued{}, fmt.Errorf("Alibaba Cloud has answered, but not with a new key: look whether user %s has one now, and delete it", s.user)
	}
	return rotate.Issued{ID: a.AccessKey.AccessKeyId, Secret: scanner.NewSecret([]byte(a.AccessKey.AccessKeySecret))}, nil
}

func (alibabaRAM) Revoke(ctx context.Context, j *rotate.Job) error {
	return ramStatus(ctx, j, "Inactive")
}
func (alibabaRAM) Undo(ctx context.Context, j *rotate.Job) error { return ramStatus(ctx, j, "Active") }

func ramStatus(ctx context.Context, j *rotate.Job, status string) error {
	s, err := ramSessionFor(ctx, j)
	if err != nil {
		return err
	}
	k, err := s.leaked(ctx)
	if err != nil || k.Status == status {
		return err
	}
	_, err = s.call(ctx, true, url.Values{"Action": {"UpdateAccessKey"}, "UserName": {s.user}, "UserAccessKeyId": {s.id}, "Status": {status}})
	return err
}

func (alibabaRAMDelete) Revoke(ctx context.Context, j *rotate.Job) error {
	s, err := ramSessionFor(ctx, j)
	if err != nil {
		return err
	}
	k, err := s.leaked(ctx)
	switch {
	case errors.Is(err, rotate.ErrNotFound) && s.listed:
		return s.gone(ctx, err)
	case err != nil:
		return err
	case k.Status != "Inactive":
		return fmt.Errorf("AccessKey %s is active again: somebody still needed it; switch it off first", s.id)
	}
	// It is a key of this account, which a second attempt has to know.
	if account, err := s.account(ctx); err == nil {
		s.j.Remember(ramAccountName, call.Value{Text: account})
	}
	_, err = s.call(ctx, true, url.Values{"Action": {"DeleteAccessKey"}, "UserName": {s.user}, "UserAccessKeyId": {s.id}})
	return err
}

// ramSession is the leaked key's user as the owner's key sees it.
type ramSession struct {
	j      *rotate.Job
	key    alibabaKey
	id     string // of the leaked key
	user   string // that it belongs to
	keys   []ramKey
	listed bool
}

func ramSessionFor(ctx context.Context, j *rotate.Job) (*ramSession, error) {
	s := &ramSession{j: j}
	var err error
	if s.id, err = j.PublicID(ctx, j.Leak.Secret); err != nil {
		return nil, fmt.Errorf("the AccessKey ID: %w", err)
	}
	if strings.HasPrefix(s.id, "STS.") {
		return nil, errors.New("a temporary key belongs to a session: it cannot be replaced or switched off by itself")
	}
	for name, to := range map[string]*string{"admin_key_id": &s.key.id, "admin": &s.key.secret} {
		v, err := j.Value(ctx, name)
		if err != nil {
			return nil, err
		}
		*to = v.Text
	}
	return s, nil
}

// whose is the user of the leaked key: as STS says while it lives, as it was
// found before, as the owner says.
func (s *ramSession) whose(ctx context.Context) (string, error) {
	if user := s.j.Known()["user"]; user != "" {
		return user, nil
	}
	v, err := alibabaSTS{}.Verify(ctx, s.j, s.j.Leak.Secret)
	switch {
	case err != nil:
		return "", err
	case v.Validity == rotate.Active:
		s.j.Remember(ramAccountName, call.Value{Text: ramAccountOf(v.Identity)})
		_, user, ok := strings.Cut(v.Identity, ":user/")
		if !ok {
			return "", fmt.Errorf("%w: AccessKey %s belongs to no RAM user (%s); the account's own key is removed on its page", rotate.ErrAmbiguous, s.id, v.Identity)
		}
		return user, nil
	}
	user, err := s.j.Value(ctx, "user")
	if err != nil {
		return "", fmt.Errorf("the RAM user that the key belongs to: %w", err)
	}
	return user.Text, nil
}

// leaked finds the leaked key among those of its user.
func (s *ramSession) leaked(ctx context.Context) (ramKey, error) {
	var err error
	if s.user, err = s.whose(ctx); err != nil {
		return ramKey{}, err
	}
	s.j.Remember("user", call.Value{Text: s.user})
	a, err := s.call(ctx, true, url.Values{"Action": {"ListAccessKeys"}, "UserName": {s.user}})
	if err != nil {
		return ramKey{}, err
	}
	s.keys, s.listed = a.AccessKeys.AccessKey, true
	for _, k := range s.keys {
		if k.AccessKeyId == s.id {
			return k, nil
		}
	}
	return ramKey{}, fmt.Errorf("%w: user %s has no AccessKey %s", rotate.ErrNotFound, s.user, s.id)
}

// ramAccountName is the account of the leaked key, as STS has named it while the
// key lived: the id of a key does not tell it.
const ramAccountName = "ram_account"

// ramAccountOf takes the account out of acs:ram::ACCOUNT:user/NAME.
func ramAccountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return ""
}

// account is the one that the owner's AccessKey belongs to.
func (s *ramSession) account(ctx context.Context) (string, error) {
	q := alibabaRequest(alibabaSTSHost, "2015-04-01", s.key, s.j.Now(), url.Values{"Action": {"GetCallerIdentity"}})
	q.Repeatable = true
	a, err := s.j.HTTP.Do(ctx, q)
	if err != nil {
		return "", err
	}
	account := ramAccountOf(a.Text("Arn"))
	if a.Status != http.StatusOK || account == "" {
		return "", fmt.Errorf("STS GetCallerIdentity: HTTP %d %s", a.Status, a.Text("Code"))
	}
	return account, nil
}

// gone judges that the key is not in the user's list: another account may have a
// user of the same name.
func (s *ramSession) gone(ctx context.Context, notFound error) error {
	asked, err := s.account(ctx)
	if err != nil {
		return fmt.Errorf("%w; which account was asked is not known: %w", notFound, err)
	}
	switch mine := s.j.Known()[ramAccountName]; mine {
	case asked:
		return nil
	case "":
		return fmt.Errorf("%w in account %s, which your own AccessKey belongs to; whether that is the account of %s is not known", notFound, asked, s.id)
	default:
		return fmt.Errorf("%w in account %s, which your own AccessKey belongs to; %s is a key of account %s: take an admin credential of that one", notFound, asked, s.id, mine)
	}
}

// call makes one request of RAM. Each answer of it has a RequestId.
func (s *ramSession) call(ctx context.Context, repeatable bool, form url.Values) (*ramAnswer, error) {
	action := form.Get("Action")
	q := alibabaRequest(ramHost, "2015-05-01", s.key, s.j.Now(), form)
	q.Repeatable = repeatable
	a, err := s.j.HTTP.Do(ctx, q)
	if err != nil {
		return nil, err
	}
	var out ramAnswer
	if err := json.Unmarshal(a.Body, &out); (err != nil || out.RequestId == "") && a.Status == http.StatusOK {
		return nil, fmt.Errorf("RAM %s: the answer is none of RAM's", action)
	}
	if a.Status == http.StatusOK {
		return &out, nil
	}
	err = fmt.Errorf("RAM %s: HTTP %d %s", action, a.Status, out.Code)
	switch {
	case out.Code == "NoPermission", strings.HasPrefix(out.Code, "Forbidden"), strings.HasPrefix(out.Code, "InvalidAccessKeyId"), out.Code == "SignatureDoesNotMatch":
		err = fmt.Errorf("%w (%w)", err, rotate.ErrDenied)
	case strings.HasPrefix(out.Code, "EntityNotExist"):
		err = fmt.Errorf("%w (%w)", err, rotate.ErrNotFound)
	}
	return nil, err
}
