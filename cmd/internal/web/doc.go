// Package web is the pages in which people look at the ledger and work with it.
//
// A page is one Go file that asks the read models of what the asker sees, and one
// template beside it in pages/ that shows the answer: a request becomes a visit (who
// asks, in which language, as of when), the page's load function makes an answer of
// the read models, and the template calls the answer and the visit in it. base.html is
// what all of them have. A page writes nothing: its forms are made from the catalogue
// of commands, and what they send goes the way of every other command (api.API).
//
// What the pages guarantee:
//
//   - They show what the API would answer the same person, and no more: they ask the
//     same read models, by the same rights.
//   - Every page takes as_of, since and, where it is about one agreement, effective_at,
//     and hands them on to the pages that it leads to. A page that is not of now says
//     so.
//   - What cannot be read is no page: a title or a mark that fails to be read does not
//     look as if it were not there (TestTitles).
//   - A form records what it showed before, or nothing: not what came of it after
//     somebody else changed what it is about (TestAStaleForm), not twice
//     (TestADoubleSend), and not for a page of another site (TestForeignForms). What
//     was typed is kept whenever it is not recorded (TestRefusalsAreAtTheirFields,
//     TestAnOutcomeThatIsNotKnown).
//   - A page that is as of an event has the events before and after it, of what it is
//     about and of what the asker sees, to step through history (TestStepping).
//   - They work without scripts. With ours, a page whose ledger moves is brought up
//     to date within a second, and what is being typed stays.
//   - Nothing comes from another host, and nothing inline runs (Content-Security-Policy).
//   - Templates are checked against the types that they are given
//     (TestTemplatesFitWhatTheyAreGiven), and each that is shown is there, and each that is
//     there is shown (TestEveryTemplateIsShown).
package web
