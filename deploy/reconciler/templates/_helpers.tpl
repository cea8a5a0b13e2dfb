{{- define "reconciler.name" -}}
{{- if contains "reconciler" .Release.Name }}{{ .Release.Name | trunc 44 | trimSuffix "-" }}
{{- else }}{{ printf "%s-reconciler" (.Release.Name | trunc 33 | trimSuffix "-") }}
{{- end }}
{{- end }}

{{- define "reconciler.selector" -}}
app.kubernetes.io/name: reconciler
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "reconciler.labels" -}}
{{ include "reconciler.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "reconciler.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}{{ default (include "reconciler.name" .) .Values.serviceAccount.name }}
{{- else }}{{ required "serviceAccount.name: name the account that is there, or set serviceAccount.create" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "reconciler.image" -}}
{{- $repository := required "image.repository: build the image by deploy/Dockerfile, push it, and name it here" .Values.image.repository }}
{{- if .Values.image.digest }}{{ $repository }}@{{ .Values.image.digest }}
{{- else }}{{ $repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end }}
{{- end }}

{{- /* The files that are mounted: option, name of the volume, kind of its source, name of the source, key. */}}
{{- define "reconciler.files" -}}
{{- $git := .Values.git }}
{{- with $git.token }}{{ if .secret }}
- {option: --git-token-file, volume: git-token, secret: {{ .secret | quote }}, key: {{ .key | quote }}}
{{- end }}{{ end }}
{{- with $git.ca }}{{ if .configMap }}
- {option: --git-ca-file, volume: git-ca, configMap: {{ .configMap | quote }}, key: {{ .key | quote }}}
{{- end }}{{ end }}
{{- with $git.ssh }}{{ if .secret }}
- {option: --ssh-key-file, volume: ssh, secret: {{ .secret | quote }}, key: {{ .key | quote }}, items: [{{ .key | quote }}, {{ .knownHostsKey | quote }}]}
- {option: --ssh-known-hosts, volume: ssh, key: {{ .knownHostsKey | quote }}}
{{- end }}{{ end }}
{{- with $git.signing }}{{ if .secret }}
- {option: --signing-key, volume: signing-key, secret: {{ .secret | quote }}, key: {{ .key | quote }}}
{{- end }}{{ end }}
{{- with .Values.webhook }}{{ if .secret }}
- {option: --webhook-secret-file, volume: webhook, secret: {{ .secret | quote }}, key: {{ .key | quote }}}
{{- end }}{{ end }}
{{- with .Values.notifications }}{{ if .secret }}
- {option: --notify-file, volume: notifications, secret: {{ .secret | quote }}, key: {{ .key | quote }}}
{{- end }}{{ end }}
{{- end }}
