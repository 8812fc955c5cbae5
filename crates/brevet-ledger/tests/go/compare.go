// The ledger's formats as others implemented them: Go's golang.org/x/mod/sumdb/tlog and sumdb/note, and, where these
// know no cosignatures, the specification (C2SP tlog-cosignature) with crypto/ed25519.
//
// Reads one question to a line, words with a space between, and answers each with one line: "ok" and words, or "no" and
// why not. Hashes are in base64, texts too. The tree is the one over the indexes as eight bytes, big-endian.
package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight      = 8
	cosignatureType = 4
	// The specification has a highest level; Go has none.
	levelMax = 63
)

var stored []tlog.Hash

func reader() tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index >= int64(len(stored)) {
				return nil, fmt.Errorf("no hash %d", index)
			}
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
}

func main() {
	questions := bufio.NewScanner(os.Stdin)
	questions.Buffer(nil, 1<<24)
	out := bufio.NewWriter(os.Stdout)
	for questions.Scan() {
		words := strings.Split(questions.Text(), " ")
		answer, err := ask(words[0], words[1:])
		if err != nil {
			fmt.Fprintf(out, "no %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Fprintln(out, strings.TrimRight("ok "+strings.Join(answer, " "), " "))
		}
		out.Flush()
	}
	if err := questions.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(question string, words []string) (answer []string, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			answer, err = nil, fmt.Errorf("panic: %v", problem)
		}
	}()
	switch question {
	case "grow":
		return nil, grow(number(words[0]))
	case "root":
		root, err := tlog.TreeHash(number(words[0]), reader())
		return []string{root.String()}, err
	case "prove-record":
		proof, err := tlog.ProveRecord(number(words[0]), number(words[1]), reader())
		return texts(proof), err
	case "check-record":
		leaf, root := hash(words[2]), hash(words[3])
		return nil, tlog.CheckRecord(hashes(words[4:]), number(words[0]), root, number(words[1]), leaf)
	case "prove-tree":
		proof, err := tlog.ProveTree(number(words[0]), number(words[1]), reader())
		return texts(proof), err
	case "check-tree":
		newer, older := hash(words[2]), hash(words[3])
		return nil, tlog.CheckTree(hashes(words[4:]), number(words[0]), newer, number(words[1]), older)
	case "tile":
		return tile(int(number(words[0])), number(words[1]), int(number(words[2])))
	case "path":
		return parsePath(words[0])
	case "open":
		return openNote(words[0], words[1:])
	case "sign":
		return signNote(words[0], words[1])
	case "check-cosignature":
		return checkCosignature(words[0], words[1], words[2])
	case "cosign":
		return cosign(words[0], words[1], words[2], words[3])
	}
	return nil, fmt.Errorf("no such question: %s", question)
}

func grow(size int64) error {
	for n := int64(0); n < size; n++ {
		data := binary.BigEndian.AppendUint64(nil, uint64(n))
		hashes, err := tlog.StoredHashes(n, data, reader())
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	return nil
}

// tile answers the path of a tile, as the specification writes it, and its bytes.
func tile(level int, index int64, width int) ([]string, error) {
	t := tlog.Tile{H: tileHeight, L: level, N: index, W: width}
	data, err := tlog.ReadTileData(t, reader())
	return []string{specPath(t), base64.StdEncoding.EncodeToString(data)}, err
}

// parsePath answers the level, index and width of a path, or that it is none.
func parsePath(path string) ([]string, error) {
	if !strings.HasPrefix(path, "tile/") {
		return nil, fmt.Errorf("no tile")
	}
	rest := strings.TrimPrefix(path, "tile/")
	if strings.HasPrefix(rest, "entries/") {
		rest = "data/" + strings.TrimPrefix(rest, "entries/")
	}
	t, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", tileHeight, rest))
	if err != nil {
		return nil, err
	}
	if t.L > levelMax {
		return nil, fmt.Errorf("no such level")
	}
	return []string{strconv.Itoa(t.L), strconv.FormatInt(t.N, 10), strconv.Itoa(t.W)}, nil
}

// specPath leaves the height out and calls data what the specification calls entries.
func specPath(t tlog.Tile) string {
	path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

// openNote answers the names of the known keys that signed.
func openNote(text string, keys []string) ([]string, error) {
	verifiers := make([]note.Verifier, len(keys))
	for i, key := range keys {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			return nil, err
		}
		verifiers[i] = verifier
	}
	opened, err := note.Open(decode(text), note.VerifierList(verifiers...))
	if err != nil {
		return nil, err
	}
	names := []string{base64.StdEncoding.EncodeToString([]byte(opened.Text))}
	for _, signature := range opened.Sigs {
		names = append(names, signature.Name)
	}
	return names, nil
}

func signNote(text, key string) ([]string, error) {
	signer, err := note.NewSigner(key)
	if err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: string(decode(text))}, signer)
	return []string{base64.StdEncoding.EncodeToString(signed)}, err
}

// cosignedMessage is the "Ed25519 signed message" of C2SP tlog-cosignature.
func cosignedMessage(seconds uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", seconds)), text...)
}

func cosignerID(name string, public ed25519.PublicKey) []byte {
	id := sha256.New()
	id.Write([]byte(name))
	id.Write([]byte{'\n', cosignatureType})
	id.Write(public)
	return id.Sum(nil)[:4]
}

// checkCosignature checks a signature line over a text by a witness's verifier key, and answers its time.
func checkCosignature(text, line, vkey string) ([]string, error) {
	parts := strings.SplitN(vkey, "+", 3)
	typed := decode(parts[2])
	if typed[0] != cosignatureType || len(typed) != 1+ed25519.PublicKeySize {
		return nil, fmt.Errorf("the key is of another type")
	}
	public := ed25519.PublicKey(typed[1:])
	id := cosignerID(parts[0], public)
	if fmt.Sprintf("%x", id) != parts[1] {
		return nil, fmt.Errorf("the id of the key is another")
	}
	words := strings.Split(strings.TrimSuffix(string(decode(line)), "\n"), " ")
	if len(words) != 3 || words[0] != "—" || words[1] != parts[0] {
		return nil, fmt.Errorf("the line is of another key")
	}
	signature := decode(words[2])
	if len(signature) != 4+8+ed25519.SignatureSize || !bytes.Equal(signature[:4], id) {
		return nil, fmt.Errorf("the signature has another form")
	}
	seconds := binary.BigEndian.Uint64(signature[4:12])
	if !ed25519.Verify(public, cosignedMessage(seconds, decode(text)), signature[12:]) {
		return nil, fmt.Errorf("the signature does not hold")
	}
	return []string{strconv.FormatUint(seconds, 10)}, nil
}

// cosign answers a verifier key and a signature line over a text, by the key that the seed gives.
func cosign(text, name, seed, seconds string) ([]string, error) {
	key := ed25519.NewKeyFromSeed(decode(seed))
	public := key.Public().(ed25519.PublicKey)
	id := cosignerID(name, public)
	time := uint64(number(seconds))
	signature := binary.BigEndian.AppendUint64(id, time)
	signature = append(signature, ed25519.Sign(key, cosignedMessage(time, decode(text)))...)
	line := fmt.Sprintf("— %s %s\n", name, base64.StdEncoding.EncodeToString(signature))
	typed := base64.StdEncoding.EncodeToString(append([]byte{cosignatureType}, public...))
	vkey := fmt.Sprintf("%s+%x+%s", name, id, typed)
	return []string{vkey, base64.StdEncoding.EncodeToString([]byte(line))}, nil
}

func number(word string) int64 {
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func decode(word string) []byte {
	data, err := base64.StdEncoding.DecodeString(word)
	if err != nil {
		panic(err)
	}
	return data
}

func hash(word string) (h tlog.Hash) {
	copy(h[:], decode(word))
	return h
}

func hashes(words []string) []tlog.Hash {
	hashes := make([]tlog.Hash, len(words))
	for i, word := range words {
		hashes[i] = hash(word)
	}
	return hashes
}

func texts(hashes []tlog.Hash) []string {
	words := make([]string, len(hashes))
	for i, h := range hashes {
		words[i] = h.String()
	}
	return words
}
