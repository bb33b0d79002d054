package checksum

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"strings"
)

// Microsoft's schemes. Source of all: github.com/microsoft/security-utilities,
// where the maker of the keys publishes how they are made (MIT licence), and
// SymCrypt for Marvin32.

// marvin32 is the 64-bit Marvin hash of data, folded to 32 bits.
func marvin32(seed uint64, data []byte) uint32 {
	p0, p1 := uint32(seed), uint32(seed>>32)
	mix := func(word uint32) {
		p0 += word
		p1 ^= p0
		p0 = bits.RotateLeft32(p0, 20) + p1
		p1 = bits.RotateLeft32(p1, 9) ^ p0
		p0 = bits.RotateLeft32(p0, 27) + p1
		p1 = bits.RotateLeft32(p1, 19)
	}
	for ; len(data) >= 4; data = data[4:] {
		mix(binary.LittleEndian.Uint32(data))
	}
	var last [4]byte
	copy(last[:], data)
	last[len(data)] = 0x80
	mix(binary.LittleEndian.Uint32(last[:]))
	mix(0)
	return p0 ^ p1
}

// seed makes a seed from its eight-letter name.
func seed(name string) uint64 { return binary.BigEndian.Uint64([]byte(name)) }

// azureKind is one kind of "identifiable" key: the signature stands before the
// checksum, and which seed fits tells the right that the key gives.
type azureKind struct {
	signature string
	seed      string
	right     string
}

// azureKinds is in the order of the signatures.
var azureKinds = []azureKind{
	{"+ABa", "AbAcct00", "Batch account key"},
	{"+ACR", "ACRDflt0", "container registry password"},
	{"+AEh", "Manage00", "Event Hubs key, may manage"},
	{"+AEh", "Listen00", "Event Hubs key, may listen"},
	{"+AEh", "Send0000", "Event Hubs key, may send"},
	{"+AEh", "Unknown0", "Event Hubs key"},
	{"+AEh", "System00", "Event Hubs system key"},
	{"+AMC", "Classic0", "Machine Learning (classic) key"},
	{"+ARm", "Manage00", "Relay key, may manage"},
	{"+ARm", "Listen00", "Relay key, may listen"},
	{"+ARm", "Send0000", "Relay key, may send"},
	{"+ARm", "Unknown0", "Relay key"},
	{"+ASb", "Manage00", "Service Bus key, may manage"},
	{"+ASb", "Listen00", "Service Bus key, may listen"},
	{"+ASb", "Send0000", "Service Bus key, may send"},
	{"+ASb", "Unknown0", "Service Bus key"},
	{"+ASb", "System00", "Service Bus system key"},
	{"+ASt", "Default0", "storage account key"},
	{"+SQL", "UsrPwd00", "SQL password"},
	{"ACDb", "MastRW00", "Cosmos DB primary key, reads and writes"},
	{"ACDb", "MastRO00", "Cosmos DB primary key, reads only"},
	{"ACDb", "Resour00", "Cosmos DB resource key"},
	{"ACDb", "SystRW00", "Cosmos DB system key, reads and writes"},
	{"ACDb", "SystRO00", "Cosmos DB system key, reads only"},
	{"ACDb", "SysAll00", "Cosmos DB system key"},
	{"ACDb", "Encryp00", "Cosmos DB data encryption key"},
	{"AIoT", "IoTHub00", "IoT Hub key"},
	{"AIoT", "DpsKey00", "IoT device provisioning key"},
	{"AIoT", "Device00", "IoT device key"},
	{"APIM", "Tenant00", "API Management direct management key"},
	{"APIM", "IoTHub00", "API Management subscription key"}, // sic: shares IoT Hub's seed
	{"APIM", "Gatewy00", "API Management gateway key"},
	{"APIM", "GitKey00", "API Management repository key"},
	{"AzCa", "Access00", "Cache for Redis key"},
	{"AzFu", "Master00", "Functions master key"},
	{"AzFu", "System00", "Functions system key"},
	{"AzFu", "Functi00", "Functions key"},
	{"AzSe", "PAdmin00", "AI Search admin key"},
	{"AzSe", "Query000", "AI Search query key"},
}

// decodeBase64 reads both alphabets, with or without padding, and demands that
// nothing but zero bits is left over. It returns nil for anything else.
func decodeBase64(s string) []byte {
	s = strings.TrimRight(s, "=")
	enc := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		enc = base64.RawURLEncoding
	}
	if len(s) == 0 || strings.ContainsAny(s, "\r\n") { // the decoder skips line ends
		return nil
	}
	data, err := enc.Strict().DecodeString(s)
	if err != nil {
		return nil
	}
	return data
}

// azureKey finds the kind of an identifiable key. The signature stands in front
// of the six characters that the checksum's 32 bits take in base 64. ok says
// that the checksum fits k's seed; known that at least the signature is one of
// Microsoft's.
func azureKey(value string) (k azureKind, known, ok bool) {
	text := strings.TrimRight(value, "=")
	if n := len(text); n < 40 || n > 88 { // 32 to 64 bytes
		return k, false, false
	}
	signature := text[len(text)-10 : len(text)-6]
	var data []byte
	for _, kind := range azureKinds {
		if kind.signature != signature {
			continue
		}
		if data == nil {
			if data = decodeBase64(value); len(data) < 28 {
				return k, false, false
			}
		}
		k, known = kind, true
		sum := marvin32(seed(k.seed), data[:len(data)-4])
		if binary.LittleEndian.Uint32(data[len(data)-4:]) == sum || k.signature == "AzCa" && redisSpelling(data, sum) == value {
			return k, true, true
		}
	}
	return k, known, false
}

// redisSpelling writes a Redis key as that service does, which replaces + and /
// after the checksum was made.
func redisSpelling(data []byte, sum uint32) string {
	data = binary.LittleEndian.AppendUint32(data[:len(data)-4:len(data)-4], sum)
	return strings.NewReplacer("+", "P", "/", "F").Replace(base64.StdEncoding.EncodeToString(data))
}

// azureIdentifiable proves keys of all services with a signature in azureKinds.
//
// Source: see above. Of the services only Storage was recomputed on genuine
// keys, so a Bad lowers only. Redis changes characters after the fact in ways
// that are not all known: there it raises only.
func azureIdentifiable(value string) Verdict {
	switch k, known, ok := azureKey(value); {
	case ok:
		return OK
	case known && k.signature != "AzCa":
		return Bad
	}
	return None
}

// azureStorage proves storage account keys with the signature +ASt; older keys
// have no checksum: None.
//
// Official: a Bad may drop. Recomputed on three genuine keys.
func azureStorage(value string) Verdict {
	if len(value) != 88 || value[76:80] != "+ASt" {
		return None
	}
	return azureIdentifiable(value)
}

// azureCASK proves "common annotated security keys", JQQJ99 in the middle: the
// last four characters (of 84), or the last six and padding (of 88), are the
// head of the Marvin32 hash of the rest in base 62, its bytes read in reverse;
// a few services write the hash in base 64 instead.
//
// Official by its source, but recomputed on one genuine key only, so a Bad
// lowers only.
func azureCASK(value string) Verdict {
	if len(value) != 84 && len(value) != 88 || value[52:56] != "JQQJ" {
		return None
	}
	check := strings.TrimRight(value[80:], "=")
	data := decodeBase64(value[:80])
	if data == nil || len(check) != 4 && len(check) != 6 {
		return None
	}
	sum := marvin32(seed("Default0"), data)
	if strings.HasPrefix(azureBase62(sum), check) {
		return OK
	}
	var le [4]byte
	binary.LittleEndian.PutUint32(le[:], sum)
	if strings.HasPrefix(base64.RawStdEncoding.EncodeToString(le[:]), check) {
		return OK
	}
	if decodeBase64(value) == nil {
		return None // not of this scheme after all
	}
	return Bad
}

// azureBase62 writes a hash as CASK keys do: zeros, where any are needed, at the
// end.
func azureBase62(sum uint32) string {
	s := digits(bits.ReverseBytes32(sum), base62Digits, 1)
	return s + strings.Repeat("0", max(0, 6-len(s)))
}

// azureDevOpsPAT proves personal access tokens of Azure DevOps, new ones as
// azureCASK does and old ones (52 characters of base 32) by a CRC-32 whose
// bytes are spread over the value.
//
// The old form looks like any base 32, and only the checksum tells it from
// that, so Bad is right there; it was not recomputed on a genuine token, so it
// lowers only.
func azureDevOpsPAT(value string) Verdict {
	if len(value) != 52 {
		return azureCASK(value)
	}
	if !only(value, "abcdefghijklmnopqrstuvwxyz234567") {
		return None
	}
	// 52 digits are 260 bits: 32 bytes and 4 bits over.
	data, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(value))
	if err != nil || len(data) != 32 {
		return None
	}
	var text []byte
	for _, part := range [][]byte{data[0:2], data[3:7], data[9:22], data[23:32]} {
		text = append(text, part...)
	}
	const user, application = 0xE0B9692D, 0x1019F92E
	check := binary.LittleEndian.Uint32([]byte{data[22], data[8], data[7], data[2]})
	if sum := crc32.ChecksumIEEE(text); check == sum^user || check == sum^application {
		return OK
	}
	return Bad
}

// entraClientSecret proves client secrets of Entra applications, 8Q~ from the
// fourth character: the last three characters are the head of a Marvin32 hash.
// Those with 7Q~ have no checksum.
//
// Official by its source, but all public samples were scrambled, so a Bad
// lowers only.
func entraClientSecret(value string) Verdict {
	const alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890.-_~"
	if len(value) != 40 || value[3:6] != "8Q~" || !only(value, alphabet) {
		return None
	}
	text, check := cutTail(value, 3)
	sum := digits(marvin32(seed("AadPwd00"), []byte(text)), alphabet, 6)
	return equal(check, sum[:3])
}
