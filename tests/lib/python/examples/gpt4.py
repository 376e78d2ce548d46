import asyncio
import websockets
import json
from openai import OpenAI

async def chat_with_gpt4(user_message: str, history: list = None):
    """
    Use AI Server's RAG with OpenAI GPT-4.
    
    Args:
        user_message: The user's question
        history: Previous conversation history (optional)
    
    Returns:
        str: GPT-4's response
    """
    client = OpenAI()  # Requires OPENAI_API_KEY environment variable
    
    # Step 1: Get RAG context from AI Server
    async with websockets.connect('ws://localhost:8000/api/cloud-chat') as ws:
        # Wait for ready
        while True:
            message = await ws.recv()
            data = json.loads(message)
            if "ready" in data['message'].lower():
                break
        
        # Send request
        await ws.send(json.dumps({
            "message": user_message,
            "history": history or []
        }))
        
        # Get context
        context_data = None
        async for message in ws:
            data = json.loads(message)
            if data['type'] == 'result':
                context_data = data['data']
                break
            elif data['type'] == 'error':
                raise Exception(f"RAG error: {data['message']}")
    
    # Step 2: Build messages for GPT-4
    messages = [
        {
            "role": "system",
            "content": context_data['system_prompt']
        },
        {
            "role": "system",
            "content": f"Here are relevant files from the user's collection:\n\n{context_data['rag_context']}"
        }
    ]
    
    # Add conversation history if provided
    if history:
        messages.extend(history)
    
    # Add current user message
    messages.append({
        "role": "user",
        "content": user_message
    })
    
    # Step 3: Call GPT-4
    response = client.chat.completions.create(
        model="gpt-4-turbo-preview",
        messages=messages,
        temperature=0.7,
        max_tokens=1000
    )
    
    return response.choices[0].message.content


# Usage example
async def main():
    # First question
    response1 = await chat_with_gpt4("What beach photos do I have?")
    print(f"GPT-4: {response1}\n")
    
    # Follow-up question with history
    history = [
        {"role": "user", "content": "What beach photos do I have?"},
        {"role": "assistant", "content": response1}
    ]
    
    response2 = await chat_with_gpt4("Show me the sunset ones", history)
    print(f"GPT-4: {response2}")

asyncio.run(main())
