package vendor

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/till-sh/till/rotate/rotatetest"
	"github.com/till-sh/till/scanner"
)

// ramAccount is a RAM user of Alibaba Cloud with his AccessKeys.
type ramAccount struct {
	keys map[string]string // id → status
	id   string
}

func (a *ramAccount) state() string {
	if s := a.keys[a.id]; s != "" {
		return strings.ToLower(s)
	}
	return "gone"
}

func (a *ramAccount) serve(w http.ResponseWriter, r *http.Request) {
	say := func(status int, format string, args ...any) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"RequestId":"4B450CA1"`+format+"}", args...)
	}
	body, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(body))
	signed := form.Get("Signature")
	form.Del("Signature")
	own, id := form.Get("AccessKeyId"), form.Get("UserAccessKeyId")
	secret := ownKey
	if own == a.id {
		secret = strings.Repeat("Zk3vQ9xL2m", 4)
	}
	switch {
	case signed != alibabaSignature(r.Method, secret, form):
		say(400, `,"Code":"SignatureDoesNotMatch"`)
	case r.Host == alibabaSTSHost && own == "AKIAOWN":
		say(200, `,"Arn":"acs:ram::1:user/ada"`)
	case r.Host == alibabaSTSHost && a.keys[own] == "":
		say(404, `,"Code":"InvalidAccessKeyId.NotFound"`)
	case r.Host == alibabaSTSHost && a.keys[own] == "Inactive":
		say(403, `,"Code":"InvalidAccessKeyId.Inactive"`)
	case r.Host == alibabaSTSHost:
		say(200, `,"Arn":"acs:ram::1:user/deploy"`)
	case own != "AKIAOWN":
		say(403, `,"Code":"NoPermission"`)
	case form.Get("UserName") != "deploy":
		say(404, `,"Code":"EntityNotExist.User"`)
	case id != "" && a.keys[id] == "":
		say(404, `,"Code":"EntityNotExist.User.AccessKey"`)
	case form.Get("Action") == "ListAccessKeys":
		var list []string
		for id, status := range a.keys {
			list = append(list, fmt.Sprintf(`{"AccessKeyId":%q,"Status":%q}`, id, status))
		}
		say(200, `,"AccessKeys":{"AccessKey":[%s]}`, strings.Join(list, ","))
	case form.Get("Action") == "CreateAccessKey":
		a.keys["LTAINEW"] = "Active"
		say(200, `,"AccessKey":{"AccessKeyId":"LTAINEW","AccessKeySecret":%q,"Status":"Active"}`, newValue)
	case form.Get("Action") == "UpdateAccessKey":
		a.keys[id] = form.Get("Status")
		say(200, "")
	case form.Get("Action") == "DeleteAccessKey":
		delete(a.keys, id)
		say(200, "")
	default:
		say(400, `,"Code":"InvalidAction.NotFound"`)
	}
}

// storageAccount is a storage account of Azure with its two keys.
type storageAccount struct{ keys [2]string }

const storageResource = "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/acme-rg/providers/Microsoft.Storage/storageAccounts/acmefiles"

var storageKeys = [2]string{strings.Repeat("Ot7hEr4k", 10) + "Ot7hEg==", strings.Repeat("Zk3vQ9xL2m", 8) + "Zk3vQg=="}

func newStorageAccount(string) account { return &storageAccount{keys: storageKeys} }

func (a *storageAccount) state() string {
	if a.keys[0] != storageKeys[0] {
		return "the other key was renewed"
	}
	if a.keys[1] == storageKeys[1] {
		return "active"
	}
	return "gone"
}

func (a *storageAccount) serve(w http.ResponseWriter, r *http.Request) {
	var body struct{ KeyName string }
	_ = json.NewDecoder(r.Body).Decode(&body)
	path, ok := strings.CutPrefix(r.URL.Path, storageResource)
	switch {
	case r.Host != azureManagement || r.Header.Get("Authorization") != "Bearer "+ownKey:
		rotatetest.Answer(401, `{"error":{"code":"InvalidAuthenticationToken"}}`)(w, r)
		return
	case !ok || r.URL.Query().Get("api-version") == "":
		rotatetest.Answer(404, `{"error":{"code":"ResourceNotFound"}}`)(w, r)
		return
	case path == "/regenerateKey" && body.KeyName == "key1":
		a.keys[0] = "renewed"
	case path == "/regenerateKey" && body.KeyName == "key2":
		a.keys[1] = "renewed"
	case path != "/listKeys":
		rotatetest.Answer(400, `{"error":{"code":"InvalidValuesForRequestParameters"}}`)(w, r)
		return
	}
	out, _ := json.Marshal(map[string]any{"keys": []map[string]string{
		{"keyName": "key1", "value": a.keys[0], "permissions": "FULL"}, {"keyName": "key2", "value": a.keys[1], "permissions": "FULL"},
	}})
	rotatetest.Answer(200, string(out))(w, r)
}

// TestStorageOther: the other key is handed out, nothing is renewed, and a value
// that is none of the account's gets none.
func TestStorageOther(t *testing.T) {
	s := rotatetest.New(t, nil)
	a := &storageAccount{keys: storageKeys}
	s.Handle(a.serve)
	c := changer{secret: storageKeys[1]}
	n, err := azureStorageOther{}.Issue(t.Context(), changeJob(c, s))
	if err != nil || n.Secret.Reveal() != storageKeys[0] || n.Ends || a.state() != "active" {
		t.Fatalf("%v, %s", err, a.state())
	}
	c.secret = strings.Repeat("Not0ne0f", 10) + "Not0ng=="
	if _, err := (azureStorageOther{}).Issue(t.Context(), changeJob(c, s)); err == nil {
		t.Error("a key for a value that is none of the account's")
	}
	j := changeJob(changer{secret: storageKeys[1]}, s)
	j.Given["resource"] = "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/x/providers/Microsoft.Storage/storageAccounts/../../x"
	if err := (azureStorageRenew{}).Revoke(t.Context(), j); err == nil || a.state() != "active" {
		t.Errorf("a resource that is no storage account: %v", err)
	}
}

// TestRAMIssue: a second key beside the leaked one, and never a third.
func TestRAMIssue(t *testing.T) {
	const leaked = "LTAI5tQ7Zk3v" + "Q9xL2mWp"
	s := rotatetest.New(t, nil)
	a := &ramAccount{id: leaked, keys: map[string]string{leaked: "Active"}}
	s.Handle(a.serve)
	c := changer{secret: strings.Repeat("Zk3vQ9xL2m", 4), id: leaked}
	j := changeJob(c, s)
	delete(j.Given, "user") // STS tells it
	n, err := alibabaRAMCreate{}.Issue(t.Context(), j)
	if err != nil || n.ID != "LTAINEW" || n.Secret.Reveal() != newValue || j.Known()["user"] != "deploy" {
		t.Fatalf("%+v, %v", n, err)
	}
	if _, err := (alibabaRAMCreate{}).Issue(t.Context(), changeJob(c, s)); err == nil || len(a.keys) != 2 {
		t.Errorf("with two keys: %v, %d keys", err, len(a.keys))
	}
	// The user that a person names has to have the key.
	j = changeJob(changer{secret: c.secret, id: "LTAIother"}, s)
	j.GivenSecrets["admin"] = scanner.NewSecret([]byte(ownKey))
	if err := (alibabaRAM{}).Revoke(t.Context(), j); err == nil || a.state() != "active" {
		t.Errorf("a key of another user: %v, %s", err, a.state())
	}
}
