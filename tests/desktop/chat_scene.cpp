#include "chat_scene.h"

namespace hearth::test {

namespace {

const char* const kFormulas = R"(The roots of $ax^2 + bx + c = 0$ with $a \neq 0$ are

\[ x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a} \]

and a softmax over $n$ logits costs \(\mathcal{O}(n)\) time; it sells for $5, and $6 with support.

$$\operatorname{softmax}(z)_i = \frac{e^{z_i}}{\sum_{j=1}^{n} e^{z_j}}, \qquad \int_{-\infty}^{\infty} e^{-x^2}\,dx = \sqrt{\pi}$$

$$\begin{aligned} \nabla \cdot \mathbf{E} &= \frac{\rho}{\varepsilon_0} \\ \nabla \times \mathbf{B} &= \mu_0 \left( \mathbf{J} + \varepsilon_0 \frac{\partial \mathbf{E}}{\partial t} \right) \end{aligned}$$

$$A = \begin{pmatrix} \alpha & \beta \\ \gamma & \delta \end{pmatrix}, \quad |x| = \begin{cases} x & \text{if } x \ge 0 \\ -x & \text{otherwise} \end{cases}, \quad \lim_{n \to \infty} \Bigl(1 + \tfrac{1}{n}\Bigr)^n = e$$

Inline $\hat{y} = \sigma(w^\top x)$, $\vec{v} \in \mathbb{R}^3$, $\overline{AB}$, $\sum_{i=1}^n i$, $\frac{1}{2}$ and $\sqrt[3]{x}$ stand on the line. What is not known stays: $\frobnicate{x_1}$.

| Case | Pages | Cost |
|---|---:|:---:|
| fits | 6 | $\mathcal{O}(n)$ |
| too large | 200 | refused |
)";

const char* const kCode = R"(```python
@cache
def admit(request, pool):
    """Only what fits."""
    return request.pages <= pool.free  # never more than 100
```

```json
{"model": "qwen2.5", "temperature": 0.7, "stream": true}
```

```html
<a href="https://example.org" class='x'>text &amp; more</a> <!-- note -->
```)";

}  // namespace

ConversationId addRichChat(Desktop& desktop) {
  FakeStore& store = desktop.host.store();
  const Conversation chat = *store.createConversation("Formulas and code", "qwen2.5-coder-1.5b-instruct-q4_k_m");
  Message message;
  message.conversation = chat.id;
  const auto add = [&](Role role, const char* text) {
    message.role = role;
    message.text = text;
    message.promptTokens = role == Role::Assistant ? 412 : 0;
    message.generatedTokens = role == Role::Assistant ? 380 : 0;
    message.tokensPerSecond = role == Role::Assistant ? 84 : 0;
    message.firstTokenSeconds = role == Role::Assistant ? 0.21 : 0;
    message.parent = store.addMessage(message)->id;
  };
  add(Role::User, "And as code?");
  add(Role::Assistant, kCode);
  add(Role::User, "Show me the formulas.");
  add(Role::Assistant, kFormulas);
  return chat.id;
}

}  // namespace hearth::test
