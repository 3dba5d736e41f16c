<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en_GB">
<context>
    <name>ErrorText</name>
    <message>
        <source>Something went wrong inside Hearth.</source>
        <translation>Hearth 内部出错。</translation>
    </message>
    <message>
        <source>A value is not allowed here.</source>
        <translation>这里不允许使用该值。</translation>
    </message>
    <message>
        <source>Hearth is already running with this data folder (process %1).</source>
        <translation>Hearth 已在使用此数据文件夹运行（进程 %1）。</translation>
    </message>
    <message>
        <source>Something with this name exists already.</source>
        <translation>同名的内容已经存在。</translation>
    </message>
    <message>
        <source>Hearth may not read or write this place.</source>
        <translation>Hearth 没有读写此位置的权限。</translation>
    </message>
    <message>
        <source>This place can only be read, not written.</source>
        <translation>此位置只能读取，不能写入。</translation>
    </message>
    <message>
        <source>The disk is full.</source>
        <translation>磁盘已满。</translation>
    </message>
    <message>
        <source>Reading or writing the disk failed.</source>
        <translation>读写磁盘失败。</translation>
    </message>
    <message>
        <source>The file is damaged: it contradicts itself.</source>
        <translation>文件已损坏：内容自相矛盾。</translation>
    </message>
    <message>
        <source>The file is incomplete: it ends too early.</source>
        <translation>文件不完整：过早结束。</translation>
    </message>
    <message>
        <source>This is not a GGUF model file.</source>
        <translation>这不是 GGUF 模型文件。</translation>
    </message>
    <message>
        <source>Hearth cannot run this kind of model yet.</source>
        <translation>Hearth 还不能运行这类模型。</translation>
    </message>
    <message>
        <source>The model uses a format that Hearth does not know yet.</source>
        <translation>模型使用了 Hearth 还不认识的格式。</translation>
    </message>
    <message>
        <source>There is not enough memory.</source>
        <translation>内存不足。</translation>
    </message>
    <message>
        <source>The model's chat template refused this conversation.</source>
        <translation>模型的对话模板拒绝了此对话。</translation>
    </message>
    <message>
        <source>The conversation is longer than the model's context.</source>
        <translation>对话超过了模型的上下文长度。</translation>
    </message>
    <message>
        <source>Too many requests are waiting already.</source>
        <translation>等待的请求太多了。</translation>
    </message>
    <message>
        <source>Hearth or the model is closing.</source>
        <translation>Hearth 或模型正在关闭。</translation>
    </message>
    <message>
        <source>Cancelled.</source>
        <translation>已取消。</translation>
    </message>
    <message>
        <source>It took too long.</source>
        <translation>耗时太长。</translation>
    </message>
    <message>
        <source>Another program uses this port.</source>
        <translation>此端口被其他程序占用。</translation>
    </message>
    <message>
        <source>Port %1 is used by another program.</source>
        <translation>端口 %1 被其他程序占用。</translation>
    </message>
    <message>
        <source>The network did not answer.</source>
        <translation>网络没有响应。</translation>
    </message>
    <message>
        <source>The file is not the one that was promised: its checksum differs.</source>
        <translation>文件与预期不符：校验和不同。</translation>
    </message>
    <message>
        <source>The name, the password or the key is not right.</source>
        <translation>名称、密码或密钥不正确。</translation>
    </message>
    <message>
        <source>This account may not do that.</source>
        <translation>此帐户无权执行该操作。</translation>
    </message>
    <message>
        <source>The limit that was set for this account is used up.</source>
        <translation>为此帐户设定的额度已用完。</translation>
    </message>
    <message>
        <source>Too many attempts to sign in.</source>
        <translation>登录尝试次数过多。</translation>
    </message>
    <message>
        <source>Check them, then try again. An administrator can set a new password.</source>
        <translation>请检查后重试。管理员可以设置新密码。</translation>
    </message>
    <message>
        <source>An administrator can change what it may do.</source>
        <translation>管理员可以更改其权限。</translation>
    </message>
    <message>
        <source>Wait until it is free again, or ask an administrator for a higher limit.</source>
        <translation>请等待额度恢复，或请管理员提高额度。</translation>
    </message>
    <message>
        <source>The model is not loaded.</source>
        <translation>模型尚未加载。</translation>
    </message>
    <message>
        <source>Use the window that is open, close it first, or choose another folder with --data-dir.</source>
        <translation>请使用已打开的窗口，或先将其关闭，或用 --data-dir 选择其他文件夹。</translation>
    </message>
    <message>
        <source>Choose another name, or remove the other one first.</source>
        <translation>请换一个名称，或先移除另一个。</translation>
    </message>
    <message>
        <source>Give your user access to it, or choose another folder with --data-dir.</source>
        <translation>请授予您的用户访问权限，或用 --data-dir 选择其他文件夹。</translation>
    </message>
    <message>
        <source>Make it writable, or choose another folder with --data-dir.</source>
        <translation>请使其可写，或用 --data-dir 选择其他文件夹。</translation>
    </message>
    <message>
        <source>Free some space, then try again. Nothing was lost.</source>
        <translation>请腾出一些空间后重试。没有丢失任何内容。</translation>
    </message>
    <message>
        <source>Check the disk and its cable or network, then try again.</source>
        <translation>请检查磁盘及其连线或网络后重试。</translation>
    </message>
    <message>
        <source>The file was left as it is. Move it away to start fresh, or put back a copy from the backups in the data folder.</source>
        <translation>文件保持原样。可将其移走以重新开始，或从数据文件夹的备份中恢复一份。</translation>
    </message>
    <message>
        <source>Get the file again from where it came from.</source>
        <translation>请从原来的来源重新获取该文件。</translation>
    </message>
    <message>
        <source>Choose a file whose name ends in .gguf.</source>
        <translation>请选择以 .gguf 结尾的文件。</translation>
    </message>
    <message>
        <source>Update Hearth.</source>
        <translation>请更新 Hearth。</translation>
    </message>
    <message>
        <source>Choose another model, or another quantisation of this one.</source>
        <translation>请选择其他模型，或此模型的其他量化版本。</translation>
    </message>
    <message>
        <source>Unload another model, or choose a smaller one.</source>
        <translation>请卸载其他模型，或选择更小的模型。</translation>
    </message>
    <message>
        <source>Remove the system prompt, or choose another model for this chat.</source>
        <translation>请删除系统提示词，或为此对话选择其他模型。</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>请稍后重试。</translation>
    </message>
    <message>
        <source>Choose another port.</source>
        <translation>请选择其他端口。</translation>
    </message>
    <message>
        <source>Load it on the Models page.</source>
        <translation>请在模型页面加载它。</translation>
    </message>
    <message>
        <source>Try again. The log in the data folder says more.</source>
        <translation>请重试。数据文件夹中的日志有更多信息。</translation>
    </message>
    <message>
        <source>Change the value, then try again.</source>
        <translation>请修改该值后重试。</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>File</source>
        <translation>文件</translation>
    </message>
    <message>
        <source>Needed</source>
        <translation>需要</translation>
    </message>
    <message>
        <source>Available</source>
        <translation>可用</translation>
    </message>
    <message>
        <source>Tokens in the conversation</source>
        <translation>对话的 token 数</translation>
    </message>
    <message>
        <source>Tokens that fit</source>
        <translation>可容纳的 token 数</translation>
    </message>
    <message>
        <source>Architecture</source>
        <translation>架构</translation>
    </message>
    <message>
        <source>Tensor</source>
        <translation>张量</translation>
    </message>
    <message>
        <source>Field</source>
        <translation>字段</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>值</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>端口</translation>
    </message>
    <message>
        <source>Process</source>
        <translation>进程</translation>
    </message>
    <message>
        <source>It is not there.</source>
        <translation>它不在那里。</translation>
    </message>
    <message>
        <source>This is of a version that Hearth does not know.</source>
        <translation>它的版本是 Hearth 不认识的。</translation>
    </message>
    <message>
        <source>It may have been moved or removed. The Models page shows what is there.</source>
        <translation>它可能已被移动或删除。“模型”页会列出现有的内容。</translation>
    </message>
    <message>
        <source>Choose a smaller context size on the Settings page, or a smaller model.</source>
        <translation>请在“设置”页选择较小的上下文，或改用较小的模型。</translation>
    </message>
    <message>
        <source>Start a new chat, edit an earlier message to go on from there, or choose a larger context size on the Settings page and load the model again.</source>
        <translation>请新建对话，或编辑较早的消息从那里继续，或在“设置”页选择更大的上下文并重新加载模型。</translation>
    </message>
    <message>
        <source>In use by other models</source>
        <translation>其他模型占用</translation>
    </message>
    <message>
        <source>Size of the file</source>
        <translation>文件大小</translation>
    </message>
    <message>
        <source>Bytes</source>
        <translation>字节数</translation>
    </message>
    <message>
        <source>Expected size</source>
        <translation>应有大小</translation>
    </message>
    <message>
        <source>Position in the file</source>
        <translation>文件中的位置</translation>
    </message>
    <message>
        <source>Start of the data</source>
        <translation>数据起点</translation>
    </message>
    <message>
        <source>The file begins with</source>
        <translation>文件开头为</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>版本</translation>
    </message>
    <message>
        <source>Version of the database</source>
        <translation>数据库版本</translation>
    </message>
    <message>
        <source>Newest version known</source>
        <translation>已知的最新版本</translation>
    </message>
    <message>
        <source>Supported</source>
        <translation>支持</translation>
    </message>
    <message>
        <source>Tokens to keep in memory</source>
        <translation>需在内存中保留的 token 数</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Similar names</source>
        <translation>相近的名称</translation>
    </message>
    <message>
        <source>Number of tensors</source>
        <translation>张量数量</translation>
    </message>
    <message>
        <source>Number of metadata entries</source>
        <translation>元数据条目数</translation>
    </message>
    <message>
        <source>Dimension</source>
        <translation>维度</translation>
    </message>
    <message>
        <source>Extent</source>
        <translation>长度</translation>
    </message>
    <message>
        <source>Type</source>
        <translation>类型</translation>
    </message>
    <message>
        <source>Format</source>
        <translation>格式</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>键</translation>
    </message>
    <message>
        <source>Smallest allowed</source>
        <translation>允许的最小值</translation>
    </message>
    <message>
        <source>Largest allowed</source>
        <translation>允许的最大值</translation>
    </message>
    <message>
        <source>Allowed</source>
        <translation>允许范围</translation>
    </message>
    <message>
        <source>Limit</source>
        <translation>限制</translation>
    </message>
    <message>
        <source>Line</source>
        <translation>行</translation>
    </message>
    <message>
        <source>Found by the check</source>
        <translation>检查结果</translation>
    </message>
    <message>
        <source>SQLite's code</source>
        <translation>SQLite 代码</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>地址</translation>
    </message>
    <message>
        <source>Library</source>
        <translation>库</translation>
    </message>
    <message>
        <source>Missing function</source>
        <translation>缺少的函数</translation>
    </message>
    <message>
        <source>Reason given</source>
        <translation>给出的原因</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>代码</translation>
    </message>
    <message>
        <source>This password is not good enough: it needs ten characters or more, and may not be the name.</source>
        <translation>这个密码不够好：至少需要十个字符，且不能与名称相同。</translation>
    </message>
    <message>
        <source>This name is not possible: letters, digits and . _ - are, with a letter or digit first.</source>
        <translation>不能使用这个名称：可以使用字母、数字和 . _ -，并以字母或数字开头。</translation>
    </message>
    <message>
        <source>This is the last administrator.</source>
        <translation>这是最后一位管理员。</translation>
    </message>
    <message>
        <source>Make another administrator first.</source>
        <translation>请先设立另一位管理员。</translation>
    </message>
<message>
        <source>The hub wants to know who asks: this needs an access token.</source>
        <translation>模型站需要知道是谁在请求：这里需要访问令牌。</translation>
    </message>
    <message>
        <source>The hub does not give this: its conditions may have to be accepted there first.</source>
        <translation>模型站拒绝提供：可能要先在那里接受使用条件。</translation>
    </message>
    <message>
        <source>The hub does not have this.</source>
        <translation>模型站上没有这个。</translation>
    </message>
    <message>
        <source>The hub answered with an error (status %1).</source>
        <translation>模型站返回了错误（状态 %1）。</translation>
    </message>
    <message>
        <source>This repository has no GGUF files.</source>
        <translation>这个仓库没有 GGUF 文件。</translation>
    </message>
    <message>
        <source>Accept the conditions on the model's page, if it has any, and set your token in the settings.</source>
        <translation>如有使用条件，请在模型页面上接受，然后在设置中填写令牌。</translation>
    </message>
    <message>
        <source>Check the name; it may have been moved or removed.</source>
        <translation>请检查名称；它可能已被移动或删除。</translation>
    </message>
    <message>
        <source>Look for the same model with GGUF in its name.</source>
        <translation>请查找名称中带有 GGUF 的同一模型。</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Repository</source>
        <translation>仓库</translation>
    </message>
    <message>
        <source>Hub</source>
        <translation>模型站</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Checksum of the file</source>
        <translation>文件的校验和</translation>
    </message>
    <message>
        <source>Checksum that was promised</source>
        <translation>应有的校验和</translation>
    </message>
</context>
<context>
    <name>Format</name>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>%1 min %2 s</source>
        <translation>%1 分 %2 秒</translation>
    </message>
    <message>
        <source>%1 h %2 min</source>
        <translation>%1 小时 %2 分</translation>
    </message>
    <message>
        <source>%1 ms</source>
        <translation>%1 毫秒</translation>
    </message>
</context>
<context>
    <name>Team</name>
    <message>
        <source>guest</source>
        <translation>访客</translation>
    </message>
    <message>
        <source>member</source>
        <translation>成员</translation>
    </message>
    <message>
        <source>administrator</source>
        <translation>管理员</translation>
    </message>
    <message>
        <source>use models</source>
        <translation>使用模型</translation>
    </message>
    <message>
        <source>own account</source>
        <translation>自己的帐户</translation>
    </message>
    <message>
        <source>read metrics</source>
        <translation>读取指标</translation>
    </message>
    <message>
        <source>manage models</source>
        <translation>管理模型</translation>
    </message>
    <message>
        <source>administer</source>
        <translation>管理团队</translation>
    </message>
    <message>
        <source>requests</source>
        <translation>请求数</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>token 数</translation>
    </message>
    <message>
        <source>compute time</source>
        <translation>计算时间</translation>
    </message>
    <message>
        <source>per minute</source>
        <translation>每分钟</translation>
    </message>
    <message>
        <source>per month</source>
        <translation>每月</translation>
    </message>
    <message>
        <source>never</source>
        <translation>从不</translation>
    </message>
    <message>
        <source>group made</source>
        <translation>创建组</translation>
    </message>
    <message>
        <source>joined a group</source>
        <translation>加入组</translation>
    </message>
    <message>
        <source>left a group</source>
        <translation>退出组</translation>
    </message>
    <message>
        <source>models of a group</source>
        <translation>更改组的模型</translation>
    </message>
    <message>
        <source>group removed</source>
        <translation>移除组</translation>
    </message>
    <message>
        <source>invitation accepted</source>
        <translation>接受邀请</translation>
    </message>
    <message>
        <source>invitation made</source>
        <translation>生成邀请</translation>
    </message>
    <message>
        <source>invitation withdrawn</source>
        <translation>撤回邀请</translation>
    </message>
    <message>
        <source>key made</source>
        <translation>生成密钥</translation>
    </message>
    <message>
        <source>key revoked</source>
        <translation>吊销密钥</translation>
    </message>
    <message>
        <source>key rotated</source>
        <translation>轮换密钥</translation>
    </message>
    <message>
        <source>limit removed</source>
        <translation>移除限额</translation>
    </message>
    <message>
        <source>limit set</source>
        <translation>设置限额</translation>
    </message>
    <message>
        <source>request cancelled</source>
        <translation>取消请求</translation>
    </message>
    <message>
        <source>server shared</source>
        <translation>共享服务器</translation>
    </message>
    <message>
        <source>sharing ended</source>
        <translation>停止共享</translation>
    </message>
    <message>
        <source>signed out</source>
        <translation>退出登录</translation>
    </message>
    <message>
        <source>signed out everywhere</source>
        <translation>在各处退出登录</translation>
    </message>
    <message>
        <source>signed in</source>
        <translation>登录</translation>
    </message>
    <message>
        <source>sign-in refused</source>
        <translation>拒绝登录</translation>
    </message>
    <message>
        <source>account made</source>
        <translation>创建帐户</translation>
    </message>
    <message>
        <source>account disabled</source>
        <translation>停用帐户</translation>
    </message>
    <message>
        <source>account enabled</source>
        <translation>启用帐户</translation>
    </message>
    <message>
        <source>data exported</source>
        <translation>导出数据</translation>
    </message>
    <message>
        <source>groups changed</source>
        <translation>更改所属组</translation>
    </message>
    <message>
        <source>password changed</source>
        <translation>更改密码</translation>
    </message>
    <message>
        <source>password reset</source>
        <translation>重设密码</translation>
    </message>
    <message>
        <source>account removed</source>
        <translation>移除帐户</translation>
    </message>
    <message>
        <source>role changed</source>
        <translation>更改角色</translation>
    </message>
</context>
<context>
    <name>TeamDialogs</name>
    <message>
        <source>1 day</source>
        <translation>1 天</translation>
    </message>
    <message>
        <source>%1 days</source>
        <translation>%1 天</translation>
    </message>
    <message>
        <source>Key of %1</source>
        <translation>%1 的密钥</translation>
    </message>
    <message>
        <source>This is the only time that it is shown. Copy it now, and give it to whoever is to use it.</source>
        <translation>密钥只显示这一次。请现在复制，并交给要使用它的人。</translation>
    </message>
    <message>
        <source>%1… of %2</source>
        <translation>%2 的 %1…</translation>
    </message>
    <message>
        <source>%1… (%2) of %3</source>
        <translation>%3 的 %1…（%2）</translation>
    </message>
    <message>
        <source>Invite someone</source>
        <translation>邀请成员</translation>
    </message>
    <message>
        <source>Makes a link that is good once. Whoever opens it chooses a name and a password.</source>
        <translation>生成一个一次性链接。打开链接的人自己选择名称和密码。</translation>
    </message>
    <message>
        <source>Make the link</source>
        <translation>生成链接</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>角色</translation>
    </message>
    <message>
        <source>Good for</source>
        <translation>有效期</translation>
    </message>
    <message>
        <source>Invitation</source>
        <translation>邀请</translation>
    </message>
    <message>
        <source>Send this link, or let the camera of a phone read it. It is good once, until %1.</source>
        <translation>发送此链接，或用手机相机扫描。仅可使用一次，有效期至 %1。</translation>
    </message>
    <message>
        <source>Add a member</source>
        <translation>添加成员</translation>
    </message>
    <message>
        <source>With a password that you choose and tell them.</source>
        <translation>由您设定密码并告知对方。</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>添加</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Password, ten characters or more</source>
        <translation>密码，至少十个字符</translation>
    </message>
    <message>
        <source>New password for %1</source>
        <translation>为 %1 设置新密码</translation>
    </message>
    <message>
        <source>Makes a link that is good once: whoever opens it chooses a new password. The old one is good until then.</source>
        <translation>生成一个一次性链接：打开链接的人设置新密码。在此之前旧密码仍然有效。</translation>
    </message>
    <message>
        <source>New password</source>
        <translation>新密码</translation>
    </message>
    <message>
        <source>Send this link to %1. It is good once, until %2.</source>
        <translation>把此链接发给 %1。仅可使用一次，有效期至 %2。</translation>
    </message>
    <message>
        <source>It holds at once; wherever they are signed in, they are signed out.</source>
        <translation>立即生效；该成员在各处的登录都会退出。</translation>
    </message>
    <message>
        <source>Set the password</source>
        <translation>设置密码</translation>
    </message>
    <message>
        <source>Remove %1?</source>
        <translation>移除 %1？</translation>
    </message>
    <message>
        <source>Erases the account with its keys and conversations. This cannot be undone. To keep them, disable the account instead.</source>
        <translation>将删除该帐户及其密钥和对话，无法撤销。若要保留，请改为停用该帐户。</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>New key</source>
        <translation>新密钥</translation>
    </message>
    <message>
        <source>For a program that is to use the models of this computer in someone's name.</source>
        <translation>供程序以某人的名义使用本机的模型。</translation>
    </message>
    <message>
        <source>Make the key</source>
        <translation>生成密钥</translation>
    </message>
    <message>
        <source>What it is for</source>
        <translation>用途</translation>
    </message>
    <message>
        <source>never</source>
        <translation>从不</translation>
    </message>
    <message>
        <source>in %1</source>
        <translation>%1后</translation>
    </message>
    <message>
        <source>all</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>Names separated by commas; name* stands for all that begin so.</source>
        <translation>名称之间用逗号分隔；以 * 结尾表示所有以此开头的模型。</translation>
    </message>
    <message>
        <source>User</source>
        <translation>用户</translation>
    </message>
    <message>
        <source>Label</source>
        <translation>标签</translation>
    </message>
    <message>
        <source>May</source>
        <translation>权限</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Expires</source>
        <translation>到期</translation>
    </message>
    <message>
        <source>Rotate the key</source>
        <translation>轮换密钥</translation>
    </message>
    <message>
        <source>%1 gets a new secret. The old one stays good for a while, so that programs can be changed one by one.</source>
        <translation>%1 将获得新的密钥内容。旧的在一段时间内仍然有效，以便逐个更换程序中的设置。</translation>
    </message>
    <message>
        <source>Rotate</source>
        <translation>轮换</translation>
    </message>
    <message>
        <source>not at all</source>
        <translation>立即失效</translation>
    </message>
    <message>
        <source>one hour</source>
        <translation>一小时</translation>
    </message>
    <message>
        <source>The old one stays good</source>
        <translation>旧密钥继续有效</translation>
    </message>
    <message>
        <source>Revoke the key?</source>
        <translation>吊销此密钥？</translation>
    </message>
    <message>
        <source>Programs that use %1 are refused from now on. This cannot be undone.</source>
        <translation>使用 %1 的程序从现在起将被拒绝。此操作无法撤销。</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>吊销</translation>
    </message>
    <message>
        <source>Set a limit</source>
        <translation>设置限额</translation>
    </message>
    <message>
        <source>What is beyond it is refused until the minute or the month is over. One that is there already is replaced.</source>
        <translation>超出的部分会被拒绝，直到这一分钟或这个月结束。已有的同类限额会被替换。</translation>
    </message>
    <message>
        <source>Set the limit</source>
        <translation>设置限额</translation>
    </message>
    <message>
        <source>group %1</source>
        <translation>组 %1</translation>
    </message>
    <message>
        <source>key %1</source>
        <translation>密钥 %1</translation>
    </message>
    <message>
        <source>seconds of computing</source>
        <translation>计算秒数</translation>
    </message>
    <message>
        <source>For</source>
        <translation>对象</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>最多</translation>
    </message>
    <message>
        <source>What</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>Period</source>
        <translation>周期</translation>
    </message>
</context>
<context>
    <name>hearth::ui::AskDialog</name>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
</context>
<context>
    <name>hearth::ui::AuditPanel</name>
    <message>
        <source>Checking every row…</source>
        <translation>正在检查每一行…</translation>
    </message>
    <message>
        <source>The log is whole: %1 rows, each follows from the one before. Keep this elsewhere to prove it later: %2</source>
        <translation>日志完整：共 %1 行，行行相连。请把下面的值保存在别处，以便日后验证：%2</translation>
    </message>
    <message>
        <source>The log was changed: row %1 does not fit. Rows before it are as they were written.</source>
        <translation>日志被改动过：第 %1 行不相符。它之前的各行与写入时一致。</translation>
    </message>
    <message>
        <source>Export the log</source>
        <translation>导出日志</translation>
    </message>
    <message>
        <source>Lines of JSON (*.jsonl)</source>
        <translation>JSON 行 (*.jsonl)</translation>
    </message>
    <message>
        <source>Written to %1.</source>
        <translation>已写入 %1。</translation>
    </message>
    <message>
        <source>this computer</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>Nothing yet. Sign-ins, invitations, keys and limits are written here as they happen.</source>
        <translation>暂无记录。登录、邀请、密钥和限额的变动都会记录在这里。</translation>
    </message>
    <message>
        <source>Verify</source>
        <translation>验证</translation>
    </message>
    <message>
        <source>Checks that no row was changed or removed</source>
        <translation>检查是否有行被改动或删除</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>导出…</translation>
    </message>
    <message>
        <source>Show older</source>
        <translation>显示更早的</translation>
    </message>
    <message>
        <source>Log of changes</source>
        <translation>变更日志</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Who</source>
        <translation>用户</translation>
    </message>
    <message>
        <source>From</source>
        <translation>来自</translation>
    </message>
    <message>
        <source>Action</source>
        <translation>操作</translation>
    </message>
    <message>
        <source>What</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>nobody</source>
        <translation>未登录</translation>
    </message>
</context>
<context>
    <name>hearth::ui::ChatPage</name>
    <message>
        <source>Models page…</source>
        <translation>模型页面…</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>No model</source>
        <translation>没有模型</translation>
    </message>
    <message>
        <source>Loading %1%</source>
        <translation>正在加载 %1%</translation>
    </message>
    <message>
        <source>Model: %1</source>
        <translation>模型：%1</translation>
    </message>
    <message>
        <source>Add a model to start</source>
        <translation>先添加一个模型</translation>
    </message>
    <message>
        <source>A model is one GGUF file. Import one that you have, or point Hearth at the folder where they are. Nothing leaves this machine.</source>
        <translation>模型就是一个 GGUF 文件。导入您已有的文件，或把 Hearth 指向存放模型的文件夹。任何数据都不会离开这台机器。</translation>
    </message>
    <message>
        <source>Go to Models</source>
        <translation>前往模型页面</translation>
    </message>
    <message>
        <source>Loading %1</source>
        <translation>正在加载 %1</translation>
    </message>
    <message>
        <source>%1% done. You can write already: the message is sent when the model is ready.</source>
        <translation>已完成 %1%。现在就可以书写：模型就绪后消息会自动发送。</translation>
    </message>
    <message>
        <source>%1 could not be loaded</source>
        <translation>无法加载 %1</translation>
    </message>
    <message>
        <source>What can I help with?</source>
        <translation>有什么可以帮您？</translation>
    </message>
    <message>
        <source>Ask anything. The model runs on this machine, and so do your chats.</source>
        <translation>尽管提问。模型在这台机器上运行，您的对话也保存在这里。</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>参数</translation>
    </message>
    <message>
        <source>Choose the model of this chat</source>
        <translation>选择此对话使用的模型</translation>
    </message>
</context>
<context>
    <name>hearth::ui::CodeBlock</name>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
    <message>
        <source>text</source>
        <translation>文本</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy this code</source>
        <translation>复制这段代码</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>代码</translation>
    </message>
</context>
<context>
    <name>hearth::ui::Composer</name>
    <message>
        <source>Add a model on the Models page to start</source>
        <translation>请先在模型页面添加模型</translation>
    </message>
    <message>
        <source>Message %1</source>
        <translation>给 %1 发消息</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>消息</translation>
    </message>
    <message>
        <source>Enter sends · Shift+Enter makes a new line</source>
        <translation>回车发送 · Shift+回车换行</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>Stop writing (Esc)</source>
        <translation>停止生成（Esc）</translation>
    </message>
    <message>
        <source>Send (Enter)</source>
        <translation>发送（回车）</translation>
    </message>
    <message>
        <source>context</source>
        <translation>上下文</translation>
    </message>
    <message>
        <source>Tokens of this conversation, and what the model can see at once</source>
        <translation>此对话的 token 数，以及模型一次能看到的上限</translation>
    </message>
    <message>
        <source>Context used: %1 of %2 tokens</source>
        <translation>上下文已用 %1 / %2 个 token</translation>
    </message>
</context>
<context>
    <name>hearth::ui::ConversationListModel</name>
    <message>
        <source>Today</source>
        <translation>今天</translation>
    </message>
    <message>
        <source>This week</source>
        <translation>本周</translation>
    </message>
    <message>
        <source>Older</source>
        <translation>更早</translation>
    </message>
</context>
<context>
    <name>hearth::ui::ConversationPanel</name>
    <message>
        <source>Rename</source>
        <translation>重命名</translation>
    </message>
    <message>
        <source>Move to the trash</source>
        <translation>移到回收站</translation>
    </message>
    <message>
        <source>New chat</source>
        <translation>新对话</translation>
    </message>
    <message>
        <source>New chat (Ctrl+N)</source>
        <translation>新对话（Ctrl+N）</translation>
    </message>
    <message>
        <source>Search chats</source>
        <translation>搜索对话</translation>
    </message>
    <message>
        <source>Chats</source>
        <translation>对话列表</translation>
    </message>
    <message>
        <source>Your chats will be listed here. They stay on this machine.</source>
        <translation>您的对话会列在这里，只保存在这台机器上。</translation>
    </message>
    <message>
        <source>No chat has this in its title.</source>
        <translation>没有标题包含这些字的对话。</translation>
    </message>
    <message>
        <source>“%1” is in the trash</source>
        <translation>“%1”已移到回收站</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
</context>
<context>
    <name>hearth::ui::DashboardPage</name>
    <message>
        <source>%1 of %2 GB</source>
        <translation>%1 / %2 GB</translation>
    </message>
    <message>
        <source>not reported</source>
        <translation>未提供</translation>
    </message>
    <message>
        <source>now</source>
        <translation>现在</translation>
    </message>
    <message>
        <source>−60 s</source>
        <translation>−60 秒</translation>
    </message>
    <message>
        <source>−5 min</source>
        <translation>−5 分钟</translation>
    </message>
    <message>
        <source>Dashboard</source>
        <translation>仪表盘</translation>
    </message>
    <message>
        <source>60 s</source>
        <translation>60 秒</translation>
    </message>
    <message>
        <source>5 min</source>
        <translation>5 分钟</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>Tokens per second</source>
        <translation>每秒 token 数</translation>
    </message>
    <message>
        <source>written</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>read</source>
        <translation>读取</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>请求</translation>
    </message>
    <message>
        <source>running</source>
        <translation>运行中</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>CPU, all cores</source>
        <translation>CPU（全部核心）</translation>
    </message>
    <message>
        <source>CPU</source>
        <translation>CPU</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>Hearth</source>
        <translation>Hearth</translation>
    </message>
    <message>
        <source>others</source>
        <translation>其他程序</translation>
    </message>
    <message>
        <source>GPU %1</source>
        <translation>GPU %1</translation>
    </message>
    <message>
        <source>%1 utilisation</source>
        <translation>%1 利用率</translation>
    </message>
    <message>
        <source>utilisation</source>
        <translation>利用率</translation>
    </message>
    <message>
        <source>%1 memory</source>
        <translation>%1 显存</translation>
    </message>
    <message>
        <source>%1 temperature, °C</source>
        <translation>%1 温度，°C</translation>
    </message>
    <message>
        <source>temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>%1 power</source>
        <translation>%1 功耗</translation>
    </message>
    <message>
        <source>power</source>
        <translation>功耗</translation>
    </message>
    <message>
        <source>GPU</source>
        <translation>GPU</translation>
    </message>
    <message>
        <source>The NVIDIA driver is there but did not answer. Restarting the machine or reinstalling the driver often helps.</source>
        <translation>NVIDIA 驱动已安装但没有响应。重启机器或重装驱动通常可以解决。</translation>
    </message>
    <message>
        <source>The NVIDIA driver is there, but it lists no GPU.</source>
        <translation>NVIDIA 驱动已安装，但没有列出任何 GPU。</translation>
    </message>
    <message>
        <source>No NVIDIA driver was found, so no GPU is shown here. Models run on the CPU.</source>
        <translation>未找到 NVIDIA 驱动，因此这里不显示 GPU。模型在 CPU 上运行。</translation>
    </message>
    <message>
        <source>The NVIDIA driver is installed but not running. Restart the machine, or load its kernel module.</source>
        <translation>NVIDIA 驱动已安装但未运行。请重启电脑，或加载它的内核模块。</translation>
    </message>
    <message>
        <source>The NVIDIA driver lacks something that is needed here. Update it to see the GPU.</source>
        <translation>NVIDIA 驱动缺少这里需要的功能。更新后即可看到 GPU。</translation>
    </message>
    <message>
        <source>The NVIDIA driver %1 is there, but it lists no GPU.</source>
        <translation>NVIDIA 驱动 %1 已就绪，但没有列出 GPU。</translation>
    </message>
</context>
<context>
    <name>hearth::ui::DetailsDialog</name>
    <message>
        <source>Details of %1</source>
        <translation>%1 的详情</translation>
    </message>
    <message>
        <source>Search the metadata</source>
        <translation>搜索元数据</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>键</translation>
    </message>
    <message>
        <source>Value</source>
        <translation>值</translation>
    </message>
    <message>
        <source>Metadata</source>
        <translation>元数据</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>hearth::ui::KeysPanel</name>
    <message>
        <source>all</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>expired %1</source>
        <translation>已于 %1 过期</translation>
    </message>
    <message>
        <source>The secret before the last rotation is good until %1.</source>
        <translation>上次轮换之前的密钥有效至 %1。</translation>
    </message>
    <message>
        <source>No keys yet. A program needs one where people sign in: make one and put it into the program's settings.</source>
        <translation>还没有密钥。需要登录的地方，程序要用密钥：生成一个，填入程序的设置中。</translation>
    </message>
    <message>
        <source>New key…</source>
        <translation>新密钥…</translation>
    </message>
    <message>
        <source>Rotate…</source>
        <translation>轮换…</translation>
    </message>
    <message>
        <source>Revoke…</source>
        <translation>吊销…</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>密钥</translation>
    </message>
    <message>
        <source>User</source>
        <translation>用户</translation>
    </message>
    <message>
        <source>Label</source>
        <translation>标签</translation>
    </message>
    <message>
        <source>Begins with</source>
        <translation>开头</translation>
    </message>
    <message>
        <source>May</source>
        <translation>权限</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Last used</source>
        <translation>上次使用</translation>
    </message>
    <message>
        <source>Expires</source>
        <translation>到期</translation>
    </message>
</context>
<context>
    <name>hearth::ui::LimitsPanel</name>
    <message>
        <source>group %1</source>
        <translation>组 %1</translation>
    </message>
    <message>
        <source>key %1…</source>
        <translation>密钥 %1…</translation>
    </message>
    <message>
        <source>%1%</source>
        <translation>%1%</translation>
    </message>
    <message>
        <source>No limits. Everybody has their fair turn in the queue all the same; a limit ends what one may take in a minute or a month.</source>
        <translation>没有限额。排队始终是公平轮流的；限额规定一个人每分钟或每月最多能用多少。</translation>
    </message>
    <message>
        <source>Set a limit…</source>
        <translation>设置限额…</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>限额</translation>
    </message>
    <message>
        <source>For</source>
        <translation>对象</translation>
    </message>
    <message>
        <source>What</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>Period</source>
        <translation>周期</translation>
    </message>
    <message>
        <source>Limit</source>
        <translation>限额</translation>
    </message>
    <message>
        <source>Used</source>
        <translation>已用</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>占比</translation>
    </message>
</context>
<context>
    <name>hearth::ui::MessageWidget</name>
    <message>
        <source>You: %1</source>
        <translation>您：%1</translation>
    </message>
    <message>
        <source>Reply</source>
        <translation>回复</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>编辑</translation>
    </message>
    <message>
        <source>Edit this message as a new branch</source>
        <translation>编辑此消息并另开分支</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy this message</source>
        <translation>复制此消息</translation>
    </message>
    <message>
        <source>Regenerate</source>
        <translation>重新生成</translation>
    </message>
    <message>
        <source>Write another reply; this one stays as a branch</source>
        <translation>再写一个回复；当前回复保留为分支</translation>
    </message>
    <message>
        <source>Previous branch</source>
        <translation>上一个分支</translation>
    </message>
    <message>
        <source>Next branch</source>
        <translation>下一个分支</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>发送</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <translation>%1 个 token</translation>
    </message>
    <message>
        <source>%1 tok/s</source>
        <translation>%1 token/秒</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在开始…</translation>
    </message>
    <message>
        <source>Loading the model… %1%</source>
        <translation>正在加载模型… %1%</translation>
    </message>
    <message>
        <source>Waiting · place %1 in the queue</source>
        <translation>等待中 · 队列第 %1 位</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>约 %1</translation>
    </message>
    <message>
        <source>Reading the conversation… %1 tokens</source>
        <translation>正在读取对话… %1 个 token</translation>
    </message>
    <message>
        <source>Writing…</source>
        <translation>正在生成…</translation>
    </message>
    <message>
        <source>Stopped by you. Regenerate writes it anew.</source>
        <translation>已由您停止。可重新生成。</translation>
    </message>
    <message>
        <source>Interrupted: Hearth was closed while writing. Regenerate writes it anew.</source>
        <translation>已中断：生成时 Hearth 被关闭。可重新生成。</translation>
    </message>
    <message>
        <source>Ended at the token limit. Raise it under Parameters.</source>
        <translation>已达到 token 上限。可在“参数”中调高。</translation>
    </message>
    <message>
        <source>first token %1</source>
        <translation>首个 token %1</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>消息</translation>
    </message>
    <message>
        <source>Reply: %1</source>
        <translation>回复：%1</translation>
    </message>
    <message>
        <source>Arrow keys go to other messages, Enter into the text</source>
        <translation>方向键切换消息，回车键进入文本</translation>
    </message>
</context>
<context>
    <name>hearth::ui::ModelCard</name>
    <message>
        <source>%1 parameters</source>
        <translation>%1 参数</translation>
    </message>
    <message>
        <source>context %1</source>
        <translation>上下文 %1</translation>
    </message>
    <message>
        <source>base model: no chat template</source>
        <translation>基础模型：没有对话模板</translation>
    </message>
    <message>
        <source>for embeddings: does not chat</source>
        <translation>用于嵌入：不能对话</translation>
    </message>
    <message>
        <source>Loaded</source>
        <translation>已加载</translation>
    </message>
    <message>
        <source>Cannot be used</source>
        <translation>无法使用</translation>
    </message>
    <message>
        <source>Loading %1</source>
        <translation>正在加载 %1</translation>
    </message>
    <message>
        <source>Loading %1%</source>
        <translation>正在加载 %1%</translation>
    </message>
    <message>
        <source>%1 in memory</source>
        <translation>占用内存 %1</translation>
    </message>
    <message>
        <source>unloads in %1</source>
        <translation>%1 后卸载</translation>
    </message>
    <message>
        <source>Unloading…</source>
        <translation>正在卸载…</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>详情</translation>
    </message>
    <message>
        <source>Details of %1</source>
        <translation>%1 的详情</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Chat with %1</source>
        <translation>与 %1 对话</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Unload</source>
        <translation>卸载</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>加载</translation>
    </message>
</context>
<context>
    <name>hearth::ui::ModelsPage</name>
    <message>
        <source>Importing %1</source>
        <translation>正在导入 %1</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 / %2</translation>
    </message>
    <message>
        <source>%1/s</source>
        <translation>%1/秒</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>剩余 %1</translation>
    </message>
    <message>
        <source>checking the file…</source>
        <translation>正在检查文件…</translation>
    </message>
    <message>
        <source>Import models</source>
        <translation>导入模型</translation>
    </message>
    <message>
        <source>GGUF models (*.gguf)</source>
        <translation>GGUF 模型 (*.gguf)</translation>
    </message>
    <message>
        <source>Add a folder with models</source>
        <translation>添加模型文件夹</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>导入…</translation>
    </message>
    <message>
        <source>Copy a GGUF file into the data folder; files can also be dropped on the window</source>
        <translation>把 GGUF 文件复制到数据文件夹；也可以将文件拖放到窗口上</translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation>添加文件夹…</translation>
    </message>
    <message>
        <source>Use the models in a folder where they are, without copying</source>
        <translation>直接使用文件夹中的模型，不复制</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>%1 on this machine · %2 free on the data disk</source>
        <translation>本机有 %1 个模型 · 数据磁盘剩余 %2</translation>
    </message>
    <message>
        <source>Looking for models…</source>
        <translation>正在查找模型…</translation>
    </message>
    <message>
        <source>No models yet</source>
        <translation>还没有模型</translation>
    </message>
    <message>
        <source>Drop a GGUF file here, import one, or add the folder where you keep them. Models in your own folders are used in place.</source>
        <translation>把 GGUF 文件拖到这里、导入一个，或添加存放模型的文件夹。您文件夹中的模型会就地使用。</translation>
    </message>
    <message>
        <source>Import a model…</source>
        <translation>导入模型…</translation>
    </message>
<message>
        <source>Downloads</source>
        <translation>下载</translation>
    </message>
    <message>
        <source>Downloads · %1</source>
        <translation>下载 · %1</translation>
    </message>
    <message>
        <source>%1 more</source>
        <translation>另有 %1 个</translation>
    </message>
    <message>
        <source>Download of %1</source>
        <translation>%1 的下载</translation>
    </message>
    <message>
        <source>On this machine</source>
        <translation>这台机器上</translation>
    </message>
    <message>
        <source>On this machine · %1</source>
        <translation>这台机器上 · %1</translation>
    </message>
    <message>
        <source>Discover</source>
        <translation>发现</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>查看</translation>
    </message>
    <message>
        <source>Show downloads</source>
        <translation>查看下载</translation>
    </message>
    <message>
        <source>%1 free on the data disk</source>
        <translation>数据磁盘剩余 %1</translation>
    </message>
</context>
<context>
    <name>hearth::ui::ParametersPanel</name>
    <message>
        <source>Parameters of this chat</source>
        <translation>此对话的参数</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>系统提示词</translation>
    </message>
    <message>
        <source>How the model should behave in this chat</source>
        <translation>模型在此对话中应如何表现</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>Top-k</source>
        <translation>Top-k</translation>
    </message>
    <message>
        <source>Min-p</source>
        <translation>Min-p</translation>
    </message>
    <message>
        <source>Most tokens</source>
        <translation>最多 token 数</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>随机种子</translation>
    </message>
    <message>
        <source>0 always takes the likeliest token; higher is more varied</source>
        <translation>0 总是取最可能的 token；越高越多样</translation>
    </message>
    <message>
        <source>Only the likeliest tokens that together reach this probability; 1 = off</source>
        <translation>只取累计达到此概率的最可能 token；1 = 关闭</translation>
    </message>
    <message>
        <source>Only this many of the likeliest tokens; 0 = off</source>
        <translation>只取这么多个最可能的 token；0 = 关闭</translation>
    </message>
    <message>
        <source>Only tokens at least this likely, measured against the likeliest; 0 = off</source>
        <translation>只取相对最可能者达到此比例的 token；0 = 关闭</translation>
    </message>
    <message>
        <source>The reply ends after this many tokens; 0 = until the context is full</source>
        <translation>回复在这么多 token 后结束；0 = 直到上下文用完</translation>
    </message>
    <message>
        <source>The same number gives the same reply; empty = random</source>
        <translation>相同的数字得到相同的回复；留空 = 随机</translation>
    </message>
    <message>
        <source>no limit</source>
        <translation>不限</translation>
    </message>
    <message>
        <source>off</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>random</source>
        <translation>随机</translation>
    </message>
    <message>
        <source>Back to defaults</source>
        <translation>恢复默认值</translation>
    </message>
</context>
<context>
    <name>hearth::ui::PeoplePanel</name>
    <message>
        <source>By a link…</source>
        <translation>通过链接…</translation>
    </message>
    <message>
        <source>Set one here…</source>
        <translation>在此设置…</translation>
    </message>
    <message>
        <source>Enable</source>
        <translation>启用</translation>
    </message>
    <message>
        <source>Disable</source>
        <translation>停用</translation>
    </message>
    <message>
        <source>A link leads to the server: share it on the network first.</source>
        <translation>链接指向服务器：请先在网络上共享。</translation>
    </message>
    <message>
        <source>disabled</source>
        <translation>已停用</translation>
    </message>
    <message>
        <source>active</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>no password yet</source>
        <translation>尚未设置密码</translation>
    </message>
    <message>
        <source>Nobody yet. Invite someone, or add a member with a password.</source>
        <translation>还没有成员。请邀请成员，或添加带密码的成员。</translation>
    </message>
    <message>
        <source>new %1</source>
        <translation>新%1</translation>
    </message>
    <message>
        <source>new password for %1</source>
        <translation>%1 的新密码</translation>
    </message>
    <message>
        <source>Invite…</source>
        <translation>邀请…</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>添加…</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>角色</translation>
    </message>
    <message>
        <source>New password</source>
        <translation>新密码</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>移除…</translation>
    </message>
    <message>
        <source>Open invitations</source>
        <translation>未使用的邀请</translation>
    </message>
    <message>
        <source>Withdraw</source>
        <translation>撤回</translation>
    </message>
    <message>
        <source>People</source>
        <translation>成员</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Groups</source>
        <translation>组</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>密钥</translation>
    </message>
    <message>
        <source>Tokens this month</source>
        <translation>本月 token 数</translation>
    </message>
    <message>
        <source>Last sign-in</source>
        <translation>上次登录</translation>
    </message>
    <message>
        <source>For</source>
        <translation>对象</translation>
    </message>
    <message>
        <source>Made</source>
        <translation>生成时间</translation>
    </message>
    <message>
        <source>Good until</source>
        <translation>有效至</translation>
    </message>
</context>
<context>
    <name>hearth::ui::ProofList</name>
    <message>
        <source>in order</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>not in order</source>
        <translation>有问题</translation>
    </message>
    <message>
        <source>open</source>
        <translation>未定</translation>
    </message>
    <message>
        <source>to be looked at</source>
        <translation>需要注意</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>复制命令</translation>
    </message>
</context>
<context>
    <name>hearth::ui::Rail</name>
    <message>
        <source>Chat</source>
        <translation>对话</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Dashboard</source>
        <translation>仪表盘</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>服务器</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>%1 (Ctrl+,)</source>
        <translation>%1（Ctrl+,）</translation>
    </message>
    <message>
        <source>%1 (Ctrl+%2)</source>
        <translation>%1（Ctrl+%2）</translation>
    </message>
    <message>
        <source>Pages</source>
        <translation>页面</translation>
    </message>
</context>
<context>
    <name>hearth::ui::RequestLogModel</name>
    <message>
        <source>running</source>
        <translation>运行中</translation>
    </message>
    <message>
        <source>done · %1</source>
        <translation>完成 · %1</translation>
    </message>
    <message>
        <source>failed · %1</source>
        <translation>失败 · %1</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Request</source>
        <translation>请求</translation>
    </message>
    <message>
        <source>From</source>
        <translation>来自</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Tokens in → out</source>
        <translation>token 输入 → 输出</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>耗时</translation>
    </message>
</context>
<context>
    <name>hearth::ui::RequestsPanel</name>
    <message>
        <source>reading</source>
        <translation>正在读取</translation>
    </message>
    <message>
        <source>%1 tok/s</source>
        <translation>%1 token/秒</translation>
    </message>
    <message>
        <source>writing</source>
        <translation>正在生成</translation>
    </message>
    <message>
        <source>loading the model</source>
        <translation>正在加载模型</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>等待中</translation>
    </message>
    <message>
        <source>place %1</source>
        <translation>第 %1 位</translation>
    </message>
    <message>
        <source>about %1</source>
        <translation>约 %1</translation>
    </message>
    <message>
        <source>%1 s</source>
        <translation>%1 秒</translation>
    </message>
    <message>
        <source>this computer</source>
        <translation>本机</translation>
    </message>
    <message>
        <source>Nothing runs or waits.</source>
        <translation>没有正在运行或等待的请求。</translation>
    </message>
    <message>
        <source>The server is off.</source>
        <translation>服务器已关闭。</translation>
    </message>
    <message>
        <source>No requests yet. “Use it from” has examples to try.</source>
        <translation>还没有请求。“使用方式”中有可以尝试的示例。</translation>
    </message>
    <message>
        <source>Switch the server on, and programs can use the models of this computer. Their requests are listed here.</source>
        <translation>打开服务器后，程序就能使用本机的模型。它们的请求会列在这里。</translation>
    </message>
    <message>
        <source>Now</source>
        <translation>当前</translation>
    </message>
    <message>
        <source>Cancel the request</source>
        <translation>取消请求</translation>
    </message>
    <message>
        <source>Requests that wait or run</source>
        <translation>等待或运行中的请求</translation>
    </message>
    <message>
        <source>Request</source>
        <translation>请求</translation>
    </message>
    <message>
        <source>Who</source>
        <translation>用户</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Tokens in → out</source>
        <translation>token 输入 → 输出</translation>
    </message>
    <message>
        <source>Since it came</source>
        <translation>已用时间</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>日志</translation>
    </message>
    <message>
        <source>Log of requests</source>
        <translation>请求日志</translation>
    </message>
</context>
<context>
    <name>hearth::ui::SecretDialog</name>
    <message>
        <source>QR code of %1</source>
        <translation>%1 的二维码</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>已复制</translation>
    </message>
</context>
<context>
    <name>hearth::ui::ServerPage</name>
    <message>
        <source>Programs on the network can use it with a key, through OpenAI's, Ollama's and Anthropic's APIs.</source>
        <translation>网络上的程序可凭密钥通过 OpenAI、Ollama 和 Anthropic 的 API 使用它。</translation>
    </message>
    <message>
        <source>Programs on this computer can use it through OpenAI's, Ollama's and Anthropic's APIs.</source>
        <translation>本机程序可通过 OpenAI、Ollama 和 Anthropic 的 API 使用它。</translation>
    </message>
    <message>
        <source>Open to</source>
        <translation>开放给</translation>
    </message>
    <message>
        <source>This computer only</source>
        <translation>仅本机</translation>
    </message>
    <message>
        <source>The team on the network</source>
        <translation>网络中的团队</translation>
    </message>
    <message>
        <source>Use port %1</source>
        <translation>使用端口 %1</translation>
    </message>
    <message>
        <source>One moment…</source>
        <translation>请稍候…</translation>
    </message>
    <message>
        <source>The server is on</source>
        <translation>服务器已开启</translation>
    </message>
    <message>
        <source>The server is off</source>
        <translation>服务器已关闭</translation>
    </message>
    <message>
        <source>Server</source>
        <translation>服务器</translation>
    </message>
    <message>
        <source>not listening</source>
        <translation>未监听</translation>
    </message>
    <message>
        <source>Switch the server off to change the port</source>
        <translation>关闭服务器后才能更改端口</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>地址</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy the address</source>
        <translation>复制地址</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>端口</translation>
    </message>
    <message>
        <source>Use it from</source>
        <translation>使用方式</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>请求</translation>
    </message>
    <message>
        <source>Shared on the network</source>
        <translation>已在网络上共享</translation>
    </message>
    <message>
        <source>Switch the server off to change this</source>
        <translation>关闭服务器后才能更改</translation>
    </message>
    <message>
        <source>People</source>
        <translation>成员</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>密钥</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>限额</translation>
    </message>
    <message>
        <source>Log of changes</source>
        <translation>变更日志</translation>
    </message>
<message>
        <source>No requests yet. Try the snippet above.</source>
        <translation>还没有请求。试试上面的示例。</translation>
    </message>
    <message>
        <source>Switch the server on, and programs on this machine can use its models. Their requests are listed here.</source>
        <translation>开启服务器后，本机的程序就可以使用这里的模型，它们的请求会列在这里。</translation>
    </message>
    <message>
        <source>Programs on this machine can use it through OpenAI's API under /v1.</source>
        <translation>本机的程序可以通过 /v1 下的 OpenAI 接口使用它。</translation>
    </message>
    <message>
        <source>Copy this snippet</source>
        <translation>复制此示例</translation>
    </message>
    <message>
        <source>Snippet</source>
        <translation>示例</translation>
    </message>
</context>
<context>
    <name>hearth::ui::SettingsPage</name>
    <message>
        <source>Add a folder with models</source>
        <translation>添加模型文件夹</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Forget this folder; its files stay where they are</source>
        <translation>不再使用此文件夹；其中的文件保持原位</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>设置</translation>
    </message>
    <message>
        <source>Appearance</source>
        <translation>外观</translation>
    </message>
    <message>
        <source>Compute</source>
        <translation>计算</translation>
    </message>
    <message>
        <source>Storage</source>
        <translation>存储</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>主题</translation>
    </message>
    <message>
        <source>Compute threads</source>
        <translation>计算线程数</translation>
    </message>
    <message>
        <source>automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Unload idle models</source>
        <translation>卸载闲置模型</translation>
    </message>
    <message>
        <source>Data folder</source>
        <translation>数据文件夹</translation>
    </message>
    <message>
        <source>Model folders</source>
        <translation>模型文件夹</translation>
    </message>
    <message>
        <source>Models in these folders are used where they are; nothing is copied.</source>
        <translation>这些文件夹中的模型会就地使用，不会复制。</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation>添加文件夹…</translation>
    </message>
    <message>
        <source>Hearth %1 · sends nothing anywhere</source>
        <translation>Hearth %1 · 不向任何地方发送数据</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>从不</translation>
    </message>
    <message>
        <source>After %1 minutes</source>
        <translation>%1 分钟后</translation>
    </message>
    <message>
        <source>After one hour</source>
        <translation>一小时后</translation>
    </message>
    <message>
        <source>%1 tokens</source>
        <translation>%1 个 token</translation>
    </message>
    <message>
        <source>Context size</source>
        <translation>上下文大小</translation>
    </message>
    <message>
        <source>How long a conversation can be. Automatic is 8,192 tokens, less where memory is short; more takes more memory, and no model gets more than it was trained for. A change holds for models that are loaded from now on.</source>
        <translation>一次对话最长能有多长。自动为 8,192 个 token，内存不足时更少；越大占用内存越多，且不会超过模型训练时的长度。更改对之后加载的模型生效。</translation>
    </message>
    <message>
        <source>Automatic is one for each physical core; more seldom helps. In use now: %1. A change holds from the next start.</source>
        <translation>自动为每个物理核心一个；更多通常没有帮助。当前使用：%1。更改在下次启动时生效。</translation>
    </message>
    <message>
        <source>Gives the memory of a model back when nobody has used it for so long; the next message loads it again. A change holds from the next start.</source>
        <translation>模型闲置这么久后释放其内存；下一条消息会重新加载它。更改在下次启动时生效。</translation>
    </message>
<message>
        <source>Hearth %1 · sends nothing anywhere unless you search or download</source>
        <translation>Hearth %1 · 除非您搜索或下载，不会向任何地方发送数据</translation>
    </message>
</context>
<context>
    <name>hearth::ui::SnippetPanel</name>
    <message>
        <source>hk_… stands for a key: make one under “Keys”. hearth-ca.pem is this computer's certificate authority; compare its fingerprint with the one above.</source>
        <translation>hk_… 代表密钥：请在“密钥”中生成。hearth-ca.pem 是本机的证书颁发机构；请将其指纹与上面的核对。</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy this snippet</source>
        <translation>复制此示例</translation>
    </message>
    <message>
        <source>Snippet</source>
        <translation>示例</translation>
    </message>
</context>
<context>
    <name>hearth::ui::StartupErrorDialog</name>
    <message>
        <source>Hearth could not start</source>
        <translation>Hearth 无法启动</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Data folder: %1. Another one can be chosen with --data-dir or HEARTH_HOME.</source>
        <translation>数据文件夹：%1。可用 --data-dir 或 HEARTH_HOME 另选一个。</translation>
    </message>
</context>
<context>
    <name>hearth::ui::StatusStrip</name>
    <message>
        <source>No model loaded</source>
        <translation>未加载模型</translation>
    </message>
    <message>
        <source>loading %1%</source>
        <translation>正在加载 %1%</translation>
    </message>
    <message>
        <source>memory</source>
        <translation>内存</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>%1 / %2</translation>
    </message>
    <message>
        <source>Weights %1, KV cache %2; the grey part is used by everything else</source>
        <translation>权重 %1，KV 缓存 %2；灰色部分由其他程序使用</translation>
    </message>
    <message>
        <source>%1 tok/s</source>
        <translation>%1 token/秒</translation>
    </message>
    <message>
        <source>shared · 1 user · %1 queued</source>
        <translation>已共享 · 1 位用户 · %1 个排队</translation>
    </message>
    <message>
        <source>shared · %1 users · %2 queued</source>
        <translation>已共享 · %1 位用户 · %2 个排队</translation>
    </message>
    <message>
        <source>Shared at %1. Nobody used it in the last ten minutes.</source>
        <translation>共享地址：%1。最近十分钟无人使用。</translation>
    </message>
    <message>
        <source>Shared at %1. In the last ten minutes used by: %2</source>
        <translation>共享地址：%1。最近十分钟的用户：%2</translation>
    </message>
    <message>
        <source>server on · %1 running · %2 queued</source>
        <translation>服务器已打开 · %1 个运行 · %2 个排队</translation>
    </message>
    <message>
        <source>The server answers at %1, to programs on this computer.</source>
        <translation>服务器在 %1 响应本机的程序。</translation>
    </message>
<message>
        <source>shared · %1 running · %2 queued</source>
        <translation>共享中 · %1 个运行 · %2 个排队</translation>
    </message>
    <message>
        <source>The server answers at %1</source>
        <translation>服务器地址 %1</translation>
    </message>
</context>
<context>
    <name>hearth::ui::TeamCard</name>
    <message>
        <source>%1 refuses connections: a firewall on this computer may block the port.</source>
        <translation>%1 拒绝连接：本机防火墙可能阻止了该端口。</translation>
    </message>
    <message>
        <source>%1 does not answer: a firewall on this computer may block the port.</source>
        <translation>%1 没有应答：本机防火墙可能阻止了该端口。</translation>
    </message>
    <message>
        <source>%1 could not be tested: %2</source>
        <translation>无法测试 %1：%2</translation>
    </message>
    <message>
        <source>This computer has no network address: connect it to the network.</source>
        <translation>本机没有网络地址：请连接到网络。</translation>
    </message>
    <message>
        <source>Announced on the network as “%1”.</source>
        <translation>已在网络上以“%1”公布。</translation>
    </message>
    <message>
        <source>A team needs an administrator. Create the first account here; it signs in at the server's page and manages members, keys and limits.</source>
        <translation>团队需要一名管理员。请在此创建第一个账户；用它登录服务器网页，管理成员、密钥和限额。</translation>
    </message>
    <message>
        <source>Open in a browser</source>
        <translation>在浏览器中打开</translation>
    </message>
    <message>
        <source>QR code of %1</source>
        <translation>%1 的二维码</translation>
    </message>
    <message>
        <source>Team</source>
        <translation>团队</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名称</translation>
    </message>
    <message>
        <source>Password, ten characters or more</source>
        <translation>密码，至少十个字符</translation>
    </message>
    <message>
        <source>Create administrator</source>
        <translation>创建管理员</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy the link</source>
        <translation>复制链接</translation>
    </message>
    <message>
        <source>Certificate, SHA-256</source>
        <translation>证书，SHA-256</translation>
    </message>
    <message>
        <source>Listens on port %1, on every network of this computer.</source>
        <translation>正在本机所有网络的端口 %1 上监听。</translation>
    </message>
    <message>
        <source>Encrypted. Lets in people who sign in and programs with a key, nobody else.</source>
        <translation>已加密。仅允许登录的用户和持有密钥的程序访问。</translation>
    </message>
    <message>
        <source>Testing whether its addresses answer…</source>
        <translation>正在测试各地址能否访问…</translation>
    </message>
    <message>
        <source>Answers at %1.</source>
        <translation>%1 可以访问。</translation>
    </message>
    <message>
        <source>At %1 another program answers on this port: choose another port.</source>
        <translation>在 %1，此端口由另一个程序响应：请选择其他端口。</translation>
    </message>
    <message>
        <source>The firewall %1 is on and may keep others out. To open the port:</source>
        <translation>防火墙 %1 已启用，可能会阻挡其他人。打开端口的命令：</translation>
    </message>
    <message>
        <source>Not announced on the network: others need the address or the code.</source>
        <translation>未在网络上公布：其他人需要地址或二维码。</translation>
    </message>
    <message>
        <source>Create and switch on</source>
        <translation>创建并打开</translation>
    </message>
    <message>
        <source>First, an administrator</source>
        <translation>首先需要一位管理员</translation>
    </message>
    <message>
        <source>Switched on, the server opens to the network, encrypted. It lets in people who sign in and programs with a key, nobody else.</source>
        <translation>打开后，服务器以加密方式向网络开放，仅允许登录的用户和持有密钥的程序访问。</translation>
    </message>
    <message>
        <source>Browsers warn until they trust it: %1. Compare the fingerprint first.</source>
        <translation>在信任它之前，浏览器会发出警告：%1。请先核对指纹。</translation>
    </message>
    <message>
        <source>Invite someone</source>
        <translation>邀请成员</translation>
    </message>
    <message>
        <source>Also at</source>
        <translation>其他地址</translation>
    </message>
    <message>
        <source>Certificate authority, SHA-256</source>
        <translation>证书颁发机构，SHA-256</translation>
    </message>
    <message>
        <source>Proof</source>
        <translation>验证</translation>
    </message>
</context>
<context>
    <name>hearth::ui::TranscriptView</name>
    <message>
        <source>Conversation</source>
        <translation>对话内容</translation>
    </message>
</context>
<context>
    <name>main</name>
    <message>
        <source>Language models on your own machine.</source>
        <translation>在您自己的机器上运行语言模型。</translation>
    </message>
    <message>
        <source>Keep models, chats and settings in this folder.</source>
        <translation>将模型、对话和设置保存在此文件夹中。</translation>
    </message>
    <message>
        <source>folder</source>
        <translation>文件夹</translation>
    </message>
    <message>
        <source>Compute threads; 0 = automatic.</source>
        <translation>计算线程数；0 = 自动。</translation>
    </message>
    <message>
        <source>count</source>
        <translation>数量</translation>
    </message>
    <message>
        <source>Load this model: a name, or a file in a model folder.</source>
        <translation>加载此模型：名称，或模型文件夹中的文件。</translation>
    </message>
    <message>
        <source>model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Open this page first: chat, models, dashboard, server or settings.</source>
        <translation>首先打开此页面：chat、models、dashboard、server 或 settings。</translation>
    </message>
    <message>
        <source>page</source>
        <translation>页面</translation>
    </message>
    <message>
        <source>Opening the data folder…</source>
        <translation>正在打开数据文件夹…</translation>
    </message>
    <message>
        <source>Longest conversation in tokens; 0 = as the settings say.</source>
        <translation>最长对话的 token 数；0 = 按设置。</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>token 数</translation>
    </message>
    <message>
        <source>Start in the tray, or minimised where there is none.</source>
        <translation>在托盘中启动；没有托盘时最小化启动。</translation>
    </message>
    <message>
        <source>GGUF files and hearth:// links to open; asked about first.</source>
        <translation>要打开的 GGUF 文件和 hearth:// 链接；会先询问。</translation>
    </message>
    <message>
        <source>[file or link…]</source>
        <translation>[文件或链接…]</translation>
    </message>
</context>
<context>
    <name>AddressCard</name>
    <message>
        <source>Download to …/models</source>
        <translation>下载到 …/models</translation>
    </message>
    <message>
        <source>Its size is known when the server answers; it names no checksum.</source>
        <translation>服务器回应后才知道大小；它没有提供校验和。</translation>
    </message>
</context>
<context>
    <name>Download</name>
    <message>
        <source>%1 of %2</source>
        <translation>%1 / %2</translation>
    </message>
    <message>
        <source>%1/s</source>
        <translation>%1/秒</translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation>还需 %1</translation>
    </message>
    <message>
        <source>1 connection</source>
        <translation>1 个连接</translation>
    </message>
    <message>
        <source>%1 connections</source>
        <translation>%1 个连接</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>Waits for its turn</source>
        <translation>排队等待</translation>
    </message>
    <message>
        <source>Downloading</source>
        <translation>正在下载</translation>
    </message>
    <message>
        <source>Next try in %1 s</source>
        <translation>%1 秒后重试</translation>
    </message>
    <message>
        <source>Checking the sum of the file</source>
        <translation>正在校验文件</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Done; the hub names no checksum, only length and header were checked</source>
        <translation>完成；模型站未提供校验和，只检查了长度和文件头</translation>
    </message>
    <message>
        <source>Done, checksum verified</source>
        <translation>完成，校验和一致</translation>
    </message>
</context>
<context>
    <name>Fit</name>
    <message>
        <source>≈ %1 tokens/s</source>
        <translation>≈ %1 token/秒</translation>
    </message>
</context>
<context>
    <name>HubError</name>
    <message>
        <source>Set a token…</source>
        <translation>设置令牌…</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
</context>
<context>
    <name>hearth::ui::CatalogueCard</name>
    <message>
        <source>%1 parameters</source>
        <translation>%1 参数</translation>
    </message>
    <message>
        <source>licence %1</source>
        <translation>许可 %1</translation>
    </message>
    <message>
        <source>for code</source>
        <translation>适合编程</translation>
    </message>
    <message>
        <source>for embeddings: does not chat</source>
        <translation>用于嵌入：不能聊天</translation>
    </message>
    <message>
        <source>Recommended</source>
        <translation>推荐</translation>
    </message>
    <message>
        <source>Hearth cannot read the format %1 yet</source>
        <translation>Hearth 还不能读取 %1 格式</translation>
    </message>
    <message>
        <source>Hearth cannot run %1 models yet</source>
        <translation>Hearth 还不能运行 %1 类模型</translation>
    </message>
    <message>
        <source>Not on this hub</source>
        <translation>此模型站没有</translation>
    </message>
    <message>
        <source>Download of %1</source>
        <translation>%1 的下载</translation>
    </message>
    <message>
        <source>%1%</source>
        <translation>%1%</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>聊天</translation>
    </message>
    <message>
        <source>Asking the hub…</source>
        <translation>正在询问模型站…</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>查看</translation>
    </message>
    <message>
        <source>Download %1 to %2</source>
        <translation>下载 %1 到 %2</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>Fetches %1 to %2</source>
        <translation>把 %1 下载到 %2</translation>
    </message>
</context>
<context>
    <name>hearth::ui::DiscoverView</name>
    <message>
        <source>Searching %1…</source>
        <translation>正在搜索 %1…</translation>
    </message>
    <message>
        <source>Downloads go to %1 · %2 free. Nothing is fetched, and no hub is asked, before you click.</source>
        <translation>下载到 %1 · 剩余 %2。在您点击之前，不会下载任何内容，也不会访问任何模型站。</translation>
    </message>
    <message>
        <source>%1 found nothing for these words. Fewer words may find more, or another hub.</source>
        <translation>%1 上没有找到相符的内容。请减少关键词，或换一个模型站。</translation>
    </message>
    <message>
        <source>%1 repositories, the most used first</source>
        <translation>%1 个仓库，最常用的在前</translation>
    </message>
    <message>
        <source>Words, owner/repository, or an address</source>
        <translation>关键词、所有者/仓库，或网址</translation>
    </message>
    <message>
        <source>Search models on a hub</source>
        <translation>在模型站上搜索模型</translation>
    </message>
    <message>
        <source>Hub</source>
        <translation>模型站</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>搜索</translation>
    </message>
    <message>
        <source>For this machine</source>
        <translation>适合这台机器</translation>
    </message>
    <message>
        <source>All models of the catalogue</source>
        <translation>目录中的全部模型</translation>
    </message>
</context>
<context>
    <name>hearth::ui::DownloadRow</name>
    <message>
        <source>Ready</source>
        <translation>可用</translation>
    </message>
    <message>
        <source>Verifying</source>
        <translation>正在校验</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失败</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>已暂停</translation>
    </message>
    <message>
        <source>Download of %1</source>
        <translation>%1 的下载</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>聊天</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>暂停</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>Delete %1?</source>
        <translation>删除 %1？</translation>
    </message>
    <message>
        <source>Clear</source>
        <translation>清除</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Takes this line away; the model stays</source>
        <translation>只移除这一行；模型会保留</translation>
    </message>
    <message>
        <source>Stops the download and deletes what was fetched so far</source>
        <translation>停止下载，并删除已下载的部分</translation>
    </message>
    <message>
        <source>Set a token…</source>
        <translation>设置令牌…</translation>
    </message>
</context>
<context>
    <name>hearth::ui::DownloadSettingsCard</name>
    <message>
        <source>Downloads</source>
        <translation>下载</translation>
    </message>
    <message>
        <source>Hugging Face mirror</source>
        <translation>Hugging Face 镜像</translation>
    </message>
    <message>
        <source>The address of a mirror, where huggingface.co cannot be reached. Empty: huggingface.co itself.</source>
        <translation>无法访问 huggingface.co 时使用的镜像地址。留空：使用 huggingface.co。</translation>
    </message>
    <message>
        <source>Hugging Face token</source>
        <translation>Hugging Face 令牌</translation>
    </message>
    <message>
        <source>For models whose owner asks for consent. Made on huggingface.co under Settings, Access Tokens; it is kept in the data folder and sent to that address only.</source>
        <translation>用于需要所有者同意的模型。在 huggingface.co 的 Settings、Access Tokens 页面创建；它保存在数据文件夹中，只发送到该地址。</translation>
    </message>
    <message>
        <source>Proxy</source>
        <translation>代理</translation>
    </message>
    <message>
        <source>Empty: as the environment says.</source>
        <translation>留空：按环境变量设置。</translation>
    </message>
    <message>
        <source>Speed limit</source>
        <translation>限速</translation>
    </message>
    <message>
        <source>none</source>
        <translation>不限</translation>
    </message>
    <message>
        <source>Models at a time</source>
        <translation>同时下载的模型数</translation>
    </message>
    <message>
        <source>Connections for each file</source>
        <translation>每个文件的连接数</translation>
    </message>
    <message>
        <source>More can be quicker where a server limits each connection.</source>
        <translation>如果服务器限制单个连接的速度，增加连接数可能更快。</translation>
    </message>
    <message>
        <source>ModelScope mirror</source>
        <translation>ModelScope 镜像</translation>
    </message>
    <message>
        <source>Ollama registry mirror</source>
        <translation>Ollama 仓库镜像</translation>
    </message>
    <message>
        <source>Empty: modelscope.cn and registry.ollama.ai themselves. A registry of your own works, too.</source>
        <translation>留空：使用 modelscope.cn 和 registry.ollama.ai 本身。也可以填写你自己的仓库地址。</translation>
    </message>
</context>
<context>
    <name>hearth::ui::DownloadsView</name>
    <message>
        <source>No downloads</source>
        <translation>没有下载</translation>
    </message>
    <message>
        <source>What you fetch from a hub is listed here until it is done. A download goes on where it stopped, also after a restart.</source>
        <translation>从模型站下载的内容会列在这里，直到完成。下载会从停下的地方继续，重启后也一样。</translation>
    </message>
    <message>
        <source>Discover models</source>
        <translation>发现模型</translation>
    </message>
</context>
<context>
    <name>hearth::ui::FirstRunView</name>
    <message>
        <source>%1 · 1 model · %2 · %3</source>
        <translation>%1 · 1 个模型 · %2 · %3</translation>
    </message>
    <message>
        <source>%1 · %2 models · %3 · %4</source>
        <translation>%1 · %2 个模型 · %3 · %4</translation>
    </message>
    <message>
        <source>Choose your first model</source>
        <translation>选择第一个模型</translation>
    </message>
    <message>
        <source>A model is a file that answers on this machine, without the network. Nothing is fetched before you click, and nothing you write leaves this machine.</source>
        <translation>模型是一个文件，它在这台机器上作答，不需要网络。在您点击之前不会下载任何内容，您写下的内容也不会离开这台机器。</translation>
    </message>
    <message>
        <source>%1 cores</source>
        <translation>%1 核</translation>
    </message>
    <message>
        <source>%1 memory, %2 free</source>
        <translation>内存 %1，可用 %2</translation>
    </message>
    <message>
        <source>no GPU found</source>
        <translation>未发现 GPU</translation>
    </message>
    <message>
        <source>memory reads %1/s</source>
        <translation>内存读取 %1/秒</translation>
    </message>
    <message>
        <source>This machine: %1</source>
        <translation>这台机器：%1</translation>
    </message>
    <message>
        <source>None of the models that Hearth knows fits into the memory that is free now.</source>
        <translation>Hearth 已知的模型都放不进现在可用的内存。</translation>
    </message>
    <message>
        <source>Looking at this machine…</source>
        <translation>正在查看这台机器…</translation>
    </message>
    <message>
        <source>All models, and search on Hugging Face or ModelScope</source>
        <translation>查看全部模型，或在 Hugging Face、ModelScope 上搜索</translation>
    </message>
    <message>
        <source>Use models I have</source>
        <translation>使用已有的模型</translation>
    </message>
    <message>
        <source>Looking for models of other programs…</source>
        <translation>正在查找其他程序的模型…</translation>
    </message>
    <message>
        <source>No models of LM Studio, GPT4All, Jan or the Hugging Face cache were found. GGUF files of your own can be used where they are.</source>
        <translation>没有找到 LM Studio、GPT4All、Jan 或 Hugging Face 缓存中的模型。您自己的 GGUF 文件可以就地使用。</translation>
    </message>
    <message>
        <source>These lie on this machine already. They are used where they are: nothing is copied or changed.</source>
        <translation>这些模型已经在这台机器上，将就地使用：不会复制或改动任何文件。</translation>
    </message>
    <message>
        <source>Use these</source>
        <translation>使用这些</translation>
    </message>
    <message>
        <source>Add folder…</source>
        <translation>添加文件夹…</translation>
    </message>
    <message>
        <source>Import a file…</source>
        <translation>导入文件…</translation>
    </message>
    <message>
        <source>Skip</source>
        <translation>跳过</translation>
    </message>
    <message>
        <source>Go on without a model; the Models page offers all this later</source>
        <translation>先不用模型；之后可以在“模型”页面找到这些</translation>
    </message>
</context>
<context>
    <name>hearth::ui::FitBadge</name>
    <message>
        <source>Fits</source>
        <translation>放得下</translation>
    </message>
    <message>
        <source>Fits into the memory that is free now. Click for the numbers.</source>
        <translation>放得进现在可用的内存。点击查看数字。</translation>
    </message>
    <message>
        <source>Tight</source>
        <translation>勉强</translation>
    </message>
    <message>
        <source>Fits when other programs give memory back. Click for the numbers.</source>
        <translation>其他程序释放内存后放得下。点击查看数字。</translation>
    </message>
    <message>
        <source>Too big</source>
        <translation>太大</translation>
    </message>
    <message>
        <source>Needs more memory than this machine has. Click for the numbers.</source>
        <translation>需要的内存超过这台机器所有。点击查看数字。</translation>
    </message>
</context>
<context>
    <name>hearth::ui::FitDetails</name>
    <message>
        <source>Needs %1; %2 of memory are free now.</source>
        <translation>需要 %1；现在可用内存 %2。</translation>
    </message>
    <message>
        <source>weights %1</source>
        <translation>权重 %1</translation>
    </message>
    <message>
        <source>cache %1 for 8,192 tokens</source>
        <translation>缓存 %1（8,192 个 token）</translation>
    </message>
    <message>
        <source>work %1</source>
        <translation>计算 %1</translation>
    </message>
    <message>
        <source>expected %1</source>
        <translation>预计 %1</translation>
    </message>
</context>
<context>
    <name>hearth::ui::RepositoryCard</name>
    <message>
        <source>format not supported yet</source>
        <translation>暂不支持此格式</translation>
    </message>
    <message>
        <source>suits this machine</source>
        <translation>适合这台机器</translation>
    </message>
    <message>
        <source>as named</source>
        <translation>按指定</translation>
    </message>
    <message>
        <source>%1 files</source>
        <translation>%1 个文件</translation>
    </message>
    <message>
        <source>Chat</source>
        <translation>聊天</translation>
    </message>
    <message>
        <source>%1% fetched: show</source>
        <translation>已下载 %1%：查看</translation>
    </message>
    <message>
        <source>Download %1 to %2</source>
        <translation>下载 %1 到 %2</translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation>%1：%2</translation>
    </message>
    <message>
        <source>%1 parameters</source>
        <translation>%1 参数</translation>
    </message>
    <message>
        <source>context %1</source>
        <translation>上下文 %1</translation>
    </message>
    <message>
        <source>licence %1</source>
        <translation>许可 %1</translation>
    </message>
    <message>
        <source>%1 downloads</source>
        <translation>%1 次下载</translation>
    </message>
    <message>
        <source>updated %1</source>
        <translation>更新于 %1</translation>
    </message>
    <message>
        <source>the hub says no more about it</source>
        <translation>模型站没有更多说明</translation>
    </message>
    <message>
        <source>Cannot run yet</source>
        <translation>还不能运行</translation>
    </message>
    <message>
        <source>Needs a token</source>
        <translation>需要令牌</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>收起</translation>
    </message>
    <message>
        <source>Show files</source>
        <translation>查看文件</translation>
    </message>
    <message>
        <source>Asking the hub…</source>
        <translation>正在询问模型站…</translation>
    </message>
    <message>
        <source>Open its page</source>
        <translation>打开页面</translation>
    </message>
    <message>
        <source>Set a token…</source>
        <translation>设置令牌…</translation>
    </message>
    <message>
        <source>Hearth cannot run models of the kind %1 yet.</source>
        <translation>Hearth 还不能运行 %1 这类模型。</translation>
    </message>
    <message>
        <source>Its owner asks for consent: accept the conditions on its page, then set your access token in the settings.</source>
        <translation>所有者要求同意：请在其页面接受条件，然后在设置中填写访问令牌。</translation>
    </message>
</context>
<context>
    <name>hearth::ui::FindBar</name>
    <message>
        <source>searching…</source>
        <translation>正在查找…</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>未找到</translation>
    </message>
    <message>
        <source>%1 of %2</source>
        <translation>第 %1 条，共 %2 条</translation>
    </message>
    <message>
        <source>Find in this chat</source>
        <translation>在此对话中查找</translation>
    </message>
    <message>
        <source>Messages with these words</source>
        <translation>含有这些词的消息</translation>
    </message>
    <message>
        <source>Earlier message</source>
        <translation>较早的消息</translation>
    </message>
    <message>
        <source>Earlier message (Enter)</source>
        <translation>较早的消息（Enter）</translation>
    </message>
    <message>
        <source>Later message</source>
        <translation>较晚的消息</translation>
    </message>
    <message>
        <source>Later message (Shift+Enter)</source>
        <translation>较晚的消息（Shift+Enter）</translation>
    </message>
    <message>
        <source>Close the search</source>
        <translation>关闭查找</translation>
    </message>
    <message>
        <source>Close the search (Esc)</source>
        <translation>关闭查找（Esc）</translation>
    </message>
</context>
<context>
    <name>hearth::ui::Opener</name>
    <message>
        <source>Hearth cannot open this</source>
        <translation>Hearth 无法打开此项</translation>
    </message>
    <message>
        <source>Hearth opens GGUF models, links to a hub&apos;s model (hearth://model/…) and links to a chat (hearth://chat/…).</source>
        <translation>Hearth 可以打开 GGUF 模型、指向模型库中模型的链接（hearth://model/…）以及指向对话的链接（hearth://chat/…）。</translation>
    </message>
    <message>
        <source>Open a chat?</source>
        <translation>打开对话？</translation>
    </message>
    <message>
        <source>Chat %1</source>
        <translation>对话 %1</translation>
    </message>
    <message>
        <source>A link asks Hearth to show this chat. It stays on this computer.</source>
        <translation>一个链接请求 Hearth 显示此对话。对话内容不会离开本机。</translation>
    </message>
    <message>
        <source>Show the chat</source>
        <translation>显示对话</translation>
    </message>
    <message>
        <source>Ollama&apos;s registry</source>
        <translation>Ollama 仓库</translation>
    </message>
    <message>
        <source>Look at a model?</source>
        <translation>查看模型？</translation>
    </message>
    <message>
        <source>A link proposes this model. If you go on, Hearth asks %1 what it has and shows sizes and whether they fit. Nothing is downloaded before you choose it there.</source>
        <translation>一个链接推荐了此模型。如果继续，Hearth 会向 %1 查询其内容，并显示大小以及是否适合本机。在你于该处选择之前，不会下载任何内容。</translation>
    </message>
    <message>
        <source>Show the model</source>
        <translation>显示模型</translation>
    </message>
    <message>
        <source>%1: there is no such file</source>
        <translation>%1：没有这个文件</translation>
    </message>
    <message>
        <source>and %1 more</source>
        <translation>以及另外 %1 个</translation>
    </message>
    <message>
        <source>It may have been moved or removed.</source>
        <translation>它可能已被移动或删除。</translation>
    </message>
    <message>
        <source>Import this model?</source>
        <translation>导入此模型？</translation>
    </message>
    <message>
        <source>Import these %1 models?</source>
        <translation>导入这 %1 个模型？</translation>
    </message>
    <message>
        <source>Hearth checks each file and copies it into its data folder (%1). The original stays where it is.</source>
        <translation>Hearth 会检查每个文件并复制到自己的数据文件夹（%1）。原文件保持不动。</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>导入</translation>
    </message>
</context>
<context>
    <name>hearth::ui::QuestionDialog</name>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
</context>
<context>
    <name>hearth::ui::SystemCard</name>
    <message>
        <source>Window and session</source>
        <translation>窗口与会话</translation>
    </message>
    <message>
        <source>Size of text and controls</source>
        <translation>文字与控件大小</translation>
    </message>
    <message>
        <source>On top of what the system&apos;s own setting gives.</source>
        <translation>在系统自身设置的基础上再放大。</translation>
    </message>
    <message>
        <source>Holds from the next start of Hearth.</source>
        <translation>下次启动 Hearth 时生效。</translation>
    </message>
    <message>
        <source>Motion</source>
        <translation>动画</translation>
    </message>
    <message>
        <source>Tray</source>
        <translation>托盘</translation>
    </message>
    <message>
        <source>Show an icon in the tray</source>
        <translation>在托盘中显示图标</translation>
    </message>
    <message>
        <source>Then closing the window leaves Hearth, its models and its server running; Quit in the icon&apos;s menu ends it.</source>
        <translation>开启后，关闭窗口时 Hearth 及其模型和服务器继续运行；用图标菜单中的“退出”结束。</translation>
    </message>
    <message>
        <source>This desktop shows no tray icons: closing the window ends Hearth. On GNOME, the extension AppIndicator adds them.</source>
        <translation>此桌面不显示托盘图标：关闭窗口即结束 Hearth。在 GNOME 上，AppIndicator 扩展可以添加托盘。</translation>
    </message>
    <message>
        <source>Start with the session</source>
        <translation>随会话启动</translation>
    </message>
    <message>
        <source>Start Hearth when I sign in</source>
        <translation>登录时启动 Hearth</translation>
    </message>
    <message>
        <source>In the tray where there is one, else as a minimised window. Loads the model of last time; the server stays off.</source>
        <translation>有托盘时在托盘中启动，否则以最小化窗口启动。会加载上次的模型；服务器保持关闭。</translation>
    </message>
    <message>
        <source>%1%</source>
        <translation>%1%</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Full</source>
        <translation>完整</translation>
    </message>
    <message>
        <source>Reduced</source>
        <translation>减弱</translation>
    </message>
</context>
<context>
    <name>hearth::ui::Tray</name>
    <message>
        <source>No model loaded</source>
        <translation>未加载模型</translation>
    </message>
    <message>
        <source>Sharing is off</source>
        <translation>未共享</translation>
    </message>
    <message>
        <source>Share…</source>
        <translation>共享…</translation>
    </message>
    <message>
        <source>Stop sharing</source>
        <translation>停止共享</translation>
    </message>
    <message>
        <source>Stop the server</source>
        <translation>停止服务器</translation>
    </message>
    <message>
        <source>Open Hearth</source>
        <translation>打开 Hearth</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>退出</translation>
    </message>
</context>
</TS>
