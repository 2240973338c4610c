// Checker answers questions about trees, tiles and notes with the code that Go's checksum database runs on
// (golang.org/x/mod/sumdb), so that tests can compare it with wmproto. One JSON object a line on stdin, one a line
// on stdout, in order. Bytes and hashes are base64.
package main

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Op      string
	Leaves  []tlog.Hash // prove: leaf hashes
	Leaf    tlog.Hash   // record
	Index   int64       // record, path: number of the leaf, of the tile
	Old     int64       // consistency: size of the older tree
	OldRoot tlog.Hash   // consistency
	Size    int64       // record, consistency, tiles: size of the tree
	Root    tlog.Hash   // record, consistency, tiles
	Proof   []tlog.Hash // record, consistency
	Level   int         // path
	Width   int         // path
	Folder  string      // tiles: where a log is published as files
	Text    string      // sign
	Signers []signer    // sign
	Note    []byte      // open
	Vkeys   []string    // open: keys that the reader knows
}

// signer describes a key: Type 1 signs notes as a log, 4 cosigns checkpoints at a Time as a witness.
type signer struct {
	Name string
	Seed []byte
	Time uint64
	Type byte
}

type answer struct {
	Error       string          `json:"error"`                 // empty: all is well
	Roots       []tlog.Hash     `json:"roots,omitempty"`       // prove: of the first 0, 1, 2, ... leaves
	Inclusion   [][][]tlog.Hash `json:"inclusion,omitempty"`   // prove: by size - 1, then index
	Consistency [][][]tlog.Hash `json:"consistency,omitempty"` // prove: by size - 1, then older size - 1
	Leaves      []tlog.Hash     `json:"leaves,omitempty"`      // tiles: every leaf hash, authenticated
	Path        string          `json:"path,omitempty"`        // path
	Note        []byte          `json:"note,omitempty"`        // sign
	Vkeys       []string        `json:"vkeys,omitempty"`       // sign: of the signers
	Text        string          `json:"text,omitempty"`        // open
	Verified    []string        `json:"verified,omitempty"`    // open: names of the keys whose lines verify
	Unverified  []string        `json:"unverified,omitempty"`  // open: names on the lines of unknown keys
}

func main() {
	in := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	ops := map[string]func(*question, *answer) error{
		"prove": prove, "record": record, "consistency": consistency, "path": path, "tiles": tiles,
		"sign": sign, "open": open,
	}
	for in.More() {
		var q question
		var a answer
		if err := in.Decode(&q); err != nil {
			log.Fatal(err)
		}
		if err := ops[q.Op](&q, &a); err != nil {
			a = answer{Error: err.Error()}
		}
		if err := json.NewEncoder(out).Encode(a); err != nil {
			log.Fatal(err)
		}
	}
}

// stored is a whole tree in memory, in the order of tlog.StoredHashIndex.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		hashes[i] = s[at]
	}
	return hashes, nil
}

// prove makes every root and every proof of every tree over the first leaves.
func prove(q *question, a *answer) error {
	var tree stored
	for n, leaf := range q.Leaves {
		hashes, err := tlog.StoredHashesForRecordHash(int64(n), leaf, tree)
		if err != nil {
			return err
		}
		tree = append(tree, hashes...)
	}
	for size := int64(0); size <= int64(len(q.Leaves)); size++ {
		root, err := tlog.TreeHash(size, tree)
		if err != nil {
			return err
		}
		a.Roots = append(a.Roots, root)
		if size == 0 {
			continue
		}
		var inclusion, consistency [][]tlog.Hash
		for n := int64(0); n < size; n++ {
			record, err := tlog.ProveRecord(size, n, tree)
			if err != nil {
				return err
			}
			older, err := tlog.ProveTree(size, n+1, tree)
			if err != nil {
				return err
			}
			inclusion, consistency = append(inclusion, record), append(consistency, older)
		}
		a.Inclusion, a.Consistency = append(a.Inclusion, inclusion), append(a.Consistency, consistency)
	}
	return nil
}

func record(q *question, _ *answer) error {
	return tlog.CheckRecord(q.Proof, q.Size, q.Root, q.Index, q.Leaf)
}

func consistency(q *question, _ *answer) error {
	return tlog.CheckTree(q.Proof, q.Size, q.Root, q.Old, q.OldRoot)
}

func path(q *question, a *answer) error {
	a.Path = tlog.Tile{H: 8, L: q.Level, N: q.Index, W: q.Width}.Path()
	return nil
}

// folder reads tiles in the layout of C2SP's tlog-tiles: Go's own, without the height.
type folder string

func (folder) Height() int                         { return 8 }
func (folder) SaveTiles(_ []tlog.Tile, _ [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var data [][]byte
	for _, tile := range tiles {
		name := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		one, err := os.ReadFile(filepath.Join(string(f), name))
		if err != nil {
			return nil, err
		}
		data = append(data, one)
	}
	return data, nil
}

// tiles reads every leaf hash of a tree from its tiles; Go checks them against the root.
func tiles(q *question, a *answer) (err error) {
	var indexes []int64
	for n := int64(0); n < q.Size; n++ {
		indexes = append(indexes, tlog.StoredHashIndex(0, n))
	}
	a.Leaves, err = tlog.TileHashReader(tlog.Tree{N: q.Size, Hash: q.Root}, folder(q.Folder)).ReadHashes(indexes)
	return err
}

// key is an Ed25519 key in a note: Go's own of type 1, or of type 4 for cosignatures, which Go's note package does
// not know (c2sp.org/tlog-cosignature). The private key is nil where it only verifies.
type key struct {
	name    string
	kind    byte
	public  ed25519.PublicKey
	private ed25519.PrivateKey
	time    uint64
}

func (k *key) Name() string    { return k.name }
func (k *key) KeyHash() uint32 { return binary.BigEndian.Uint32(k.id()) }

func (k *key) id() []byte {
	sum := sha256.Sum256([]byte(k.name + "\n" + string(k.kind) + string(k.public)))
	return sum[:4]
}

func (k *key) vkey() string {
	public := append([]byte{k.kind}, k.public...)
	return k.name + "+" + hex.EncodeToString(k.id()) + "+" + base64.StdEncoding.EncodeToString(public)
}

func cosigned(msg []byte, time uint64) []byte {
	return []byte(fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, msg))
}

func (k *key) Sign(msg []byte) ([]byte, error) {
	time := binary.BigEndian.AppendUint64(nil, k.time)
	return append(time, ed25519.Sign(k.private, cosigned(msg, k.time))...), nil
}

func (k *key) Verify(msg, sig []byte) bool {
	return len(sig) == 72 && ed25519.Verify(k.public, cosigned(msg, binary.BigEndian.Uint64(sig)), sig[8:])
}

// sign has Go sign a text; a log's key goes through Go's own encoding of private keys.
func sign(q *question, a *answer) error {
	var signers []note.Signer
	for _, s := range q.Signers {
		private := ed25519.NewKeyFromSeed(s.Seed)
		k := &key{s.Name, s.Type, private.Public().(ed25519.PublicKey), private, s.Time}
		if s.Type == 4 {
			a.Vkeys, signers = append(a.Vkeys, k.vkey()), append(signers, k)
			continue
		}
		vkey, err := note.NewEd25519VerifierKey(s.Name, k.public)
		if err != nil {
			return err
		}
		seed := base64.StdEncoding.EncodeToString(append([]byte{1}, s.Seed...))
		own, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", s.Name, k.KeyHash(), seed))
		if err != nil {
			return err
		}
		a.Vkeys, signers = append(a.Vkeys, vkey), append(signers, own)
	}
	var err error
	a.Note, err = note.Sign(&note.Note{Text: q.Text}, signers...)
	return err
}

// verifier reads a vkey: as Go does, and if it is of type 4, for a witness.
func verifier(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) == 3 {
		public, err := base64.StdEncoding.DecodeString(parts[2])
		if err == nil && len(public) == 33 && public[0] == 4 {
			k := &key{name: parts[0], kind: 4, public: public[1:]}
			if k.vkey() != vkey {
				return nil, errors.New("not a vkey of type 4")
			}
			return k, nil
		}
	}
	return note.NewVerifier(vkey)
}

func open(q *question, a *answer) error {
	var known []note.Verifier
	for _, vkey := range q.Vkeys {
		v, err := verifier(vkey)
		if err != nil {
			return err
		}
		known = append(known, v)
	}
	n, err := note.Open(q.Note, note.VerifierList(known...))
	if err != nil {
		return err
	}
	a.Text = n.Text
	for _, sig := range n.Sigs {
		a.Verified = append(a.Verified, sig.Name)
	}
	for _, sig := range n.UnverifiedSigs {
		a.Unverified = append(a.Unverified, sig.Name)
	}
	return nil
}
