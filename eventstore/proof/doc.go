// Package proof is what a ledger proves of its log, and how anybody checks it:
// trees, signed checkpoints, countersignatures and proofs. It does no I/O, reads
// no clock, and needs neither a server nor the rest of the ledger.
//
// # Formats
//
// A tree is that of RFC 6962, section 2.1: SHA-256, a leaf is the stored bytes
// of an event. A ledger has one tree of all its events, in which event n is leaf
// n-1, and one for each agreement, of that agreement's events in the same order.
//
// A checkpoint says how many leaves a tree has and what its root is. It is a
// signed note (c2sp.org/signed-note) as c2sp.org/tlog-checkpoint has it:
//
//	milepost/main/wuxi-2017
//	128
//	CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//
//	— milepost/main Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//	— wuxi.example/witness jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
//
// The first line is the [Origin]: milepost/<ledger>, and for an agreement's tree
// its key after that. The ledger signs with an Ed25519 key whose name is the
// origin of its own tree. A party countersigns with a key of its own
// (c2sp.org/tlog-cosignature, Ed25519): this says that as of a time the tree
// was the largest that the party had seen, and consistent with all that it saw
// before.
//
// A proof file (c2sp.org/tlog-proof) holds one event, in its extra line, its
// index, the hashes from its leaf to the root, and a checkpoint.
//
// # What holds
//
// Who has checked a checkpoint that all parties countersigned knows that each of
// them saw the same events up to it, in the same order, and that none can be
// changed, left out or put in without one of them noticing. A proof ties one
// event to such a checkpoint. Tests hold all formats and proofs against
// independent implementations (TestIndependently).
package proof
