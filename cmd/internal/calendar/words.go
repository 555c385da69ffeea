package calendar

// words are what the calendar itself says, by language: what kinds of entries
// and facts there are, and how a title is put together. A language that is not
// here is shown in English; titles are in any language that they have.
type words struct {
	kinds, facts map[string]string
	states       map[string]string // those that are not their own name
	colon        string
	in           [2]string // around what an entry is within
}

var dictionary = map[string]words{
	"en": {
		kinds: map[string]string{
			"milestone": "Milestone", "obligation": "Obligation", "meeting": "Meeting", "action": "Action", "period": "Report due",
		},
		facts: map[string]string{
			"state": "State", "forecast": "Now expected", "met_on": "Met on", "baseline": "Baseline", "debtor": "Owed by",
			"beneficiary": "Owed to", "value": "Value", "fulfilled_on": "Fulfilled on", "mechanism": "Mechanism", "members": "Members",
			"owner": "Owner", "done_on": "Done on", "period": "Period", "target": "Target", "actual": "Actual", "reporter": "Reported by",
		},
		colon: ": ", in: [2]string{" (", ")"},
	},
	"zh": {
		kinds: map[string]string{
			"milestone": "里程碑", "obligation": "义务", "meeting": "会议", "action": "行动事项", "period": "报告期截止",
		},
		facts: map[string]string{
			"state": "状态", "forecast": "目前预计", "met_on": "达成日期", "baseline": "基线", "debtor": "义务方",
			"beneficiary": "受益方", "value": "金额", "fulfilled_on": "履行日期", "mechanism": "机制", "members": "成员",
			"owner": "负责方", "done_on": "完成日期", "period": "报告期", "target": "目标", "actual": "实际", "reporter": "报告方",
		},
		states: map[string]string{
			"scheduled": "已安排", "achievement-claimed": "已申报达成", "met": "已达成", "partially-met": "部分达成", "not-met": "未达成",
			"cancelled": "已取消", "open": "未完成", "fulfilment-claimed": "已申报履行", "fulfilled": "已履行", "waived": "已免除",
			"breached": "已违约", "held": "已召开", "done": "已完成", "dropped": "已撤销", "planned": "已计划", "reported": "已报告",
			"verified": "已核实", "returned": "已退回",
		},
		colon: "：", in: [2]string{"（", "）"},
	},
}

// wordsIn returns the words of the first of the languages that has some.
func wordsIn(languages []string) words {
	for _, l := range languages {
		if w, ok := dictionary[l]; ok {
			return w
		}
	}
	return dictionary["en"]
}
