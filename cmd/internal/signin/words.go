package signin

// words are what the pages say, by language: English first, which is also what
// programs get. TestEveryWordIsThere compares the two.
type words struct {
	Tag      string // of the language
	Titles   map[string]string
	Problems map[string]string
	Roles    map[string]string

	SignIn, SignOut, Token, TokenHint, ByOrganisation, Or string
	LinkAs, LinkHint, SignedInAs                          string
	Grants, Role, Agreement, Whole, Party, Cleared        string
	Documents, Again, Issuer, Subject                     string
}

var dictionary = []words{
	{
		Tag: "en",
		Titles: map[string]string{
			"sign-in": "Sign in", "link": "Sign in", "home": "Signed in", "refused": "Not signed in",
		},
		Problems: map[string]string{
			CodeTooManyAttempts: "There were too many attempts to sign in. Wait a moment and try again.",
			CodeWrongToken:      "This token is not accepted. It may be mistyped, revoked or expired, or its owner has no grant any more. Ask the administrator for another one.",
			CodeLinkUsed:        "This link is not accepted: it works once, within 15 minutes. Get another one with milepost token link on the machine of the server, or ask the administrator.",
			CodeInvalidForm:     "The form could not be read. Go back and send it again.",
			CodeForeignForm:     "The form did not come from a page of this server, or the browser keeps no cookies. Allow cookies for this site, and sign in by its own page.",
			CodeNoProvider:      "This server is not connected to an organisation. Sign in with a token.",
			CodeProviderFailed:  "The organisation's sign-in does not answer as it should. Try again in a moment; the server's log says more.",
			CodeProviderRefused: "The organisation's sign-in ended without a permission.",
			CodeFlowUnknown:     "This sign-in was not begun in this browser, is over already, or took too long. Begin again.",
			CodeIdentityUnknown: "Your organisation knows you, but this ledger does not yet. Send the administrator the two lines below, and ask to link them to you with the command link-identity.",
			CodeNotVerified:     "Your organisation has not verified your e-mail address, so it is not gone by. Have it verified there, then sign in again.",
			CodeClaimMissing:    "Your organisation does not tell this server what it goes by. Send the administrator the two lines below.",
			CodeUnauthenticated: "Nobody is signed in: send a token in the header Authorization, or sign in at /sign-in.",
			CodeUnavailable:     "The ledger does not answer at present, so nobody can be let in. Try again in a moment.",
			"internal":          "The server failed. Its log says why.",
		},
		Roles: map[string]string{
			"viewer": "viewer", "contributor": "contributor", "representative": "representative", "coordinator": "coordinator",
			"auditor": "auditor", "admin": "administrator",
		},
		SignIn: "Sign in", SignOut: "Sign out", Token: "Token", Or: "or",
		TokenHint:      "A token begins with mp_. Whoever keeps the server finds the administrator's in the file admin.token of its data directory.",
		ByOrganisation: "Sign in by", LinkAs: "This link signs you in as", LinkHint: "It works once.", SignedInAs: "You are",
		Grants: "What you may do", Role: "Role", Agreement: "Agreement", Whole: "the whole ledger", Party: "For the party", Cleared: "Cleared for",
		Documents: "What the API answers (OpenAPI)", Again: "Sign in", Issuer: "Issuer", Subject: "Subject",
	},
	{
		Tag: "zh-Hans",
		Titles: map[string]string{
			"sign-in": "登录", "link": "登录", "home": "已登录", "refused": "未能登录",
		},
		Problems: map[string]string{
			CodeTooManyAttempts: "登录尝试过于频繁，请稍后再试。",
			CodeWrongToken:      "该令牌无效：可能输入有误、已被吊销、已过期，或其所有者已无任何授权。请向管理员申请新的令牌。",
			CodeLinkUsed:        "该链接无效：每个链接只能在 15 分钟内使用一次。请在服务器上运行 milepost token link 获取新链接，或联系管理员。",
			CodeInvalidForm:     "无法读取表单，请返回后重新提交。",
			CodeForeignForm:     "该表单不是由本服务器的页面提交的，或浏览器未保存 Cookie。请允许本站使用 Cookie，并从本站页面登录。",
			CodeNoProvider:      "本服务器未接入任何机构的统一登录，请使用令牌登录。",
			CodeProviderFailed:  "机构的统一登录没有正常响应，请稍后再试；服务器日志中有详细信息。",
			CodeProviderRefused: "机构的统一登录未予许可。",
			CodeFlowUnknown:     "此次登录不是在本浏览器中发起的、已经结束，或耗时过长。请重新登录。",
			CodeIdentityUnknown: "您的机构认识您，但本账本尚未登记您。请把下面两行发给管理员，请其用 link-identity 命令将其与您关联。",
			CodeNotVerified:     "您的机构尚未验证您的电子邮件地址，因此不能作为登录依据。请先在机构完成验证，再重新登录。",
			CodeClaimMissing:    "您的机构没有提供本服务器所需的信息。请把下面两行发给管理员。",
			CodeUnauthenticated: "尚未登录：请在 Authorization 请求头中发送令牌，或在 /sign-in 登录。",
			CodeUnavailable:     "账本目前没有响应，因此暂时无法登录，请稍后再试。",
			"internal":          "服务器出错，原因见服务器日志。",
		},
		Roles: map[string]string{
			"viewer": "查看者", "contributor": "填报者", "representative": "代表", "coordinator": "协调员", "auditor": "审计员", "admin": "管理员",
		},
		SignIn: "登录", SignOut: "退出登录", Token: "令牌", Or: "或",
		TokenHint:      "令牌以 mp_ 开头。服务器的维护者可在其数据目录的 admin.token 文件中找到管理员令牌。",
		ByOrganisation: "通过以下机构登录：", LinkAs: "此链接将以此身份登录：", LinkHint: "只能使用一次。", SignedInAs: "您的身份：",
		Grants: "您的权限", Role: "角色", Agreement: "协议", Whole: "整个账本", Party: "代表方", Cleared: "可见的受限内容",
		Documents: "API 文档（OpenAPI）", Again: "登录", Issuer: "签发者", Subject: "主体",
	},
}
